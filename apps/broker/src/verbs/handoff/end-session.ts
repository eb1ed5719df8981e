import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import type { Browser } from "../person/become-person.ts";

/**
 * Ends a visit to the settings page. What was saved is kept.
 * @param forget the browser that is to prove nothing for this build any more
 * @returns whether the browser still proves something
 */
export async function endSession(
  deps: Pick<Deps, "store" | "now" | "randomBytes">,
  session: SessionRow,
  forget: Browser | undefined,
  requestId: string,
): Promise<{ readonly isBrowserKnown: boolean }> {
  const { id: sessionId, buildId } = session;
  const actor = { kind: "session", sessionId, buildId } as const;
  const details = { forgotten: forget !== undefined };
  const entry = { actor, action: "session.ended", entity: buildId, details, requestId };
  return deps.store.write(async (tables) => {
    await tables.sessions.end(sessionId, buildId, deps.now());
    if (forget !== undefined) await tables.persons.forgetBrowser(forget.hash, buildId);
    await tables.auditEvents.insertAll([auditRow(deps, entry)]);
    const known = forget === undefined ? [] : await tables.persons.listByBrowser(forget.hash);
    return { isBrowserKnown: known.length > 0 };
  });
}
