import { BrokerError, type Secret } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import type { Visit } from "../handoff/visit.ts";
import { requirePerson } from "../settings/take-step.ts";
import { type Browser, keepBrowser } from "./become-person.ts";

/**
 * A new recovery code for the person of a build; the old one opens nothing any more.
 * @throws BrokerError `conflict` before the first save, `person_only`
 */
export async function renewRecovery(
  deps: Deps,
  visit: Visit,
  browser: Browser | undefined,
): Promise<{
  readonly code: Secret;
  readonly createdAt: number;
  /** For a browser that could not prove the person yet. */
  readonly personCookie: Secret | undefined;
}> {
  const { buildId } = visit.session;
  const { token: code, hash } = deps.tokens.make("recovery", buildId);
  const createdAt = deps.now();
  const personCookie = await deps.change(visit, [buildId], async (tx) => {
    const person = await requirePerson(deps, tx);
    if (person === undefined) {
      throw new BrokerError("conflict", "nothing of yours is saved here yet", {
        remedy: "Save your first key: the answer shows your recovery code.",
      });
    }
    await tx.persons.changeRecovery(person.id, hash);
    tx.audit("person.recovery_renewed", buildId, { personId: person.id });
    return keepBrowser(deps, tx, person, browser);
  });
  return { code, createdAt, personCookie };
}
