import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";

/** Ends a visit to the settings page. What was saved is kept. */
export async function endSession(
  deps: Pick<Deps, "store" | "now" | "randomBytes">,
  session: SessionRow,
  requestId: string,
): Promise<void> {
  const { id: sessionId, buildId } = session;
  const actor = { kind: "session", sessionId, buildId } as const;
  const entry = { actor, action: "session.ended", entity: buildId, details: {}, requestId };
  await deps.store.write(async (tables) => {
    await tables.sessions.end(sessionId, deps.now());
    await tables.auditEvents.insertAll([auditRow(deps, entry)]);
  });
}
