import { BrokerError, type Secret } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import type { Visit } from "../handoff/visit.ts";
import { requirePerson } from "../settings/take-step.ts";
import { type Browser, rememberBrowser } from "./become-person.ts";

/**
 * A new recovery code for the person of a build. The old one opens nothing any more, nor does what it may have opened:
 * every other visit of the person ends, and no cookie from before proves them, nor a copy of this browser's.
 * @throws BrokerError `conflict` before the first save, `person_only`
 */
export async function renewRecovery(
  deps: Deps,
  visit: Visit,
  browser: Browser | undefined,
): Promise<{
  readonly code: Secret;
  readonly createdAt: number;
  readonly personCookie: Secret;
}> {
  const { id: sessionId, buildId } = visit.session;
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
    const visitsEnded = await tx.sessions.endByPerson(person.id, createdAt, sessionId);
    if (browser !== undefined) await tx.persons.forgetBrowser(browser.hash, buildId, createdAt, person.id);
    const browsersForgotten = await tx.persons.forgetBrowsers(person.id);
    const details = { personId: person.id, visitsEnded, browsersForgotten };
    tx.audit("person.recovery_renewed", buildId, details);
    return rememberBrowser(deps, tx, person.id, browser);
  });
  return { code, createdAt, personCookie };
}
