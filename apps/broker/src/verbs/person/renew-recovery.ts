import { BrokerError, type Secret } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { auditRow } from "../audit.ts";
import { requirePerson } from "../settings/take-step.ts";
import { type Browser, keepBrowser } from "./become-person.ts";

/**
 * A new recovery code for the person of a build; the old one opens nothing any more.
 * @throws BrokerError `conflict` before the first save, `person_only`
 */
export async function renewRecovery(
  deps: Deps,
  session: SessionRow,
  browser: Browser | undefined,
  requestId: string,
): Promise<{
  readonly code: Secret;
  readonly createdAt: number;
  /** For a browser that could not prove the person yet. */
  readonly personCookie: Secret | undefined;
}> {
  const { id: sessionId, buildId } = session;
  const { token: code, hash } = deps.tokens.make("recovery", buildId);
  const createdAt = deps.now();
  const actor = { kind: "session", sessionId, buildId } as const;
  const personCookie = await deps.store.write(async (tables) => {
    const person = await requirePerson(deps, tables, actor);
    if (person === undefined) {
      throw new BrokerError("conflict", "nothing of yours is saved here yet", {
        remedy: "Save your first key: the answer shows your recovery code.",
      });
    }
    await tables.persons.changeRecovery(person.id, hash);
    const details = { personId: person.id };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "person.recovery_renewed", entity: buildId, details, requestId }),
    ]);
    return keepBrowser(deps, tables, person, browser);
  });
  return { code, createdAt, personCookie };
}
