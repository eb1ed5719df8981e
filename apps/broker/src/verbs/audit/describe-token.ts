import { actorLabel, type TokenMatch } from "@keyloan/contract";
import { isOver, type TokenRow } from "@keyloan/store";
import { hasExpired } from "../../auth/callers.ts";
import { isVisitOver } from "../../auth/sessions.ts";
import { textsMatch } from "../../auth/tokens.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { readersOf } from "./readers.ts";

/** The token, link, visit or proof of a person with this hash; `undefined` when there is none, or it ended so long ago that it is gone. */
export async function describeToken(
  deps: Deps,
  hash: string,
): Promise<Omit<TokenMatch, "index"> | undefined> {
  if (textsMatch(hash, deps.adminTokenHash)) return { what: "token", kind: "admin", alive: true };
  const token = await deps.store.read.tokens.findByHash(hash);
  if (token !== undefined) return describeStored(deps, token);
  const session = await deps.store.read.sessions.findByHash(hash);
  if (session !== undefined) {
    return describePage("session", session, !isVisitOver(session, deps.now()));
  }
  const handoff = await deps.store.read.handoffs.findByHash(hash);
  if (handoff !== undefined) {
    return describePage("handoff", handoff, handoff.usedAt === null && !isOver(handoff, deps.now()));
  }
  const person = await deps.store.read.persons.findByRecovery(hash);
  if (person !== undefined) return describePage("recovery", person, person.endedAt === null);
  const known = await deps.store.read.persons.listByBrowser(hash, deps.now());
  const newest = known.find(({ endedAt }) => endedAt === null) ?? known[0];
  return newest === undefined ? undefined : describePage("person", newest, newest.endedAt === null);
}

async function describeStored(deps: Deps, token: TokenRow): Promise<Omit<TokenMatch, "index">> {
  const { id, kind, name, buildId, createdAt } = token;
  const ended =
    token.revokedAt !== null || (token.singleUse && token.usedAt !== null) || hasExpired(token, deps.now());
  // A platform's calls are spread over builds without number; the audit is searched for those.
  const uses =
    buildId === null
      ? undefined
      : await readersOf(deps, {
          entity: buildId,
          actions: ["env.read"],
          since: createdAt,
          actor: actorLabel({ kind: "workload", tokenId: id, buildId }),
        });
  return {
    what: "token",
    kind,
    tokenId: id,
    alive: !ended,
    name,
    issuedAt: isoTime(createdAt),
    ...(buildId === null ? {} : { buildId }),
    ...(uses === undefined ? {} : { uses }),
  };
}

function describePage(
  kind: "session" | "handoff" | "recovery" | "person",
  { id, buildId, createdAt }: { readonly id: string; readonly buildId: string; readonly createdAt: number },
  alive: boolean,
): Omit<TokenMatch, "index"> {
  return { what: "token", kind, tokenId: id, buildId, alive, issuedAt: isoTime(createdAt) };
}
