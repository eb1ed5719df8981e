import { BrokerError, readRecoveryCode } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { refuseClosed } from "./open-session.ts";
import { type StartedSession, startSession, type Visitor } from "./start-session.ts";

/**
 * Opens the page for whoever has the build's recovery code, in any browser, which is known from then on. Who calls
 * this limits tries.
 * @throws BrokerError `unauthenticated` for a code that is wrong or has ended, `build_closed`
 */
export async function openByRecovery(
  deps: Deps,
  typed: string,
  visitor: Visitor,
  requestId: string,
): Promise<StartedSession> {
  // A code that was mistyped or made up fails its check, and the store is not asked.
  const read = deps.tokens.read(readRecoveryCode(typed) ?? "", ["recovery"]);
  const person = read === undefined ? undefined : await deps.store.read.persons.findByRecovery(read.hash);
  if (read === undefined || person === undefined) throw wrongCode("this recovery code is not correct");
  await refuseClosed(deps, person.buildId);
  const opener = { by: "recovery", recoveryHash: read.hash } as const;
  const opened = await startSession(deps, person.buildId, opener, visitor, requestId);
  if (opened === undefined)
    throw wrongCode("this recovery code has ended: a newer one was made, or somebody started over");
  return opened;
}

function wrongCode(message: string): BrokerError {
  return new BrokerError("unauthenticated", message, {
    remedy:
      "Compare it with the code you kept; a newer code replaces earlier ones. Without it, open the page in the browser in which the keys were saved, or start over from a new link.",
  });
}
