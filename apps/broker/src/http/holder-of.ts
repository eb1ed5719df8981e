import { type Actor, BrokerError } from "@keyloan/contract";
import { isOver } from "@keyloan/store";
import { findCaller } from "../auth/callers.ts";
import { findSessionOf } from "../auth/sessions.ts";
import type { ReadToken } from "../auth/tokens.ts";
import { bySystem } from "../change.ts";
import type { Deps } from "../deps.ts";
import { personsOf } from "../verbs/person/become-person.ts";
import type { BrokerContext } from "./context.ts";

/**
 * Whose the credential of a request is; `undefined` when it holds no more. The store is asked unless the request has
 * done so: of what is refused before its route comes to ask, nobody would ever see that it has ended.
 */
export async function holderOf(context: BrokerContext): Promise<Actor | undefined> {
  const { deps, credential, timesFoundBefore } = context.var;
  if (credential === undefined) return undefined;
  const { callers } = deps;
  const { hash, isProven } = credential;
  const isOurs = isProven || callers.find(hash) !== undefined;
  if (isOurs && !callers.hasEnded(hash) && !callers.wasFoundAfter(timesFoundBefore, hash))
    await lookUp(deps, credential);
  return callers.find(hash);
}

async function lookUp(deps: Deps, credential: ReadToken): Promise<void> {
  const { kind, hash } = credential;
  if (kind === "session") await findSessionOf(deps, credential);
  else if (kind === "person") await personsOf(deps, credential);
  else if (kind !== "handoff" && kind !== "recovery") await findToken(deps, credential);
  else if (await opensPage(deps, credential)) deps.callers.remember(hash, bySystem("handoff").actor);
  else deps.callers.end(credential);
}

async function findToken(deps: Deps, credential: ReadToken): Promise<void> {
  try {
    await findCaller(deps, credential);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
  }
}

/** Whether a link's code, or one for recovery, opens something. */
async function opensPage({ store, now }: Deps, { kind, hash }: ReadToken): Promise<boolean> {
  if (kind === "recovery") return (await store.read.persons.findByRecovery(hash))?.endedAt === null;
  const link = await store.read.handoffs.findByHash(hash);
  return link !== undefined && link.usedAt === null && !isOver(link, now());
}
