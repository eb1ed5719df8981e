import { actorLabel, BrokerError, platformScopes, type TokenList, type TokenView } from "@keyloan/contract";
import type { Tables, TokenRow } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { isoTime } from "../../iso-time.ts";
import { findBuild } from "../builds/find-build.ts";
import { decodeTimeCursor } from "../builds/list-builds.ts";
import { encodeCursor } from "../cursor.ts";

type PageQuery = { readonly cursor?: string | undefined; readonly limit: number };

/** A page of platform tokens, newest first; never a token's text or hash. */
export function listTokens(deps: Pick<Deps, "store">, query: PageQuery): Promise<TokenList> {
  return listPage(deps, null, query);
}

/**
 * A page of a build's own tokens, newest first.
 * @throws BrokerError `not_found`
 */
export async function listBuildTokens(
  deps: Pick<Deps, "store">,
  buildId: string,
  query: PageQuery,
): Promise<TokenList> {
  await findBuild(deps, buildId);
  return listPage(deps, buildId, query);
}

async function listPage(
  deps: Pick<Deps, "store">,
  buildId: string | null,
  query: PageQuery,
): Promise<TokenList> {
  const after = query.cursor === undefined ? {} : { after: decodeTimeCursor(query.cursor) };
  const rows = await deps.store.read.tokens.list({ ...after, buildId, limit: query.limit + 1 });
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const more = rows.length > query.limit && last !== undefined;
  return {
    tokens: page.map(tokenView),
    ...(more ? { nextCursor: encodeCursor([last.createdAt, last.id]) } : {}),
  };
}

/**
 * Ends a token of a platform or a build now; ending it twice changes nothing. With `leaked` so do the links that it
 * made, and the visits of their builds that have proven nobody: whoever had the token may be in them.
 * @throws BrokerError `not_found`
 */
export async function revokeToken(deps: Deps, by: By, tokenId: string, leaked: boolean): Promise<void> {
  const found = await deps.change(by, [tokenId], async (tx) => {
    const now = deps.now();
    if (!(await tx.tokens.revoke(tokenId, now))) return tx.unaudited(false);
    if (!leaked) tx.audit("token.revoked", tokenId);
    else tx.audit("token.revoked", tokenId, { leaked, ...(await endLinks(tx, tokenId, now)) });
    return true;
  });
  if (!found) throw noToken(tokenId, "keyloan token list");
}

/**
 * Ends a token of this build and of no other.
 * @throws BrokerError `not_found`
 */
export async function revokeBuildToken(deps: Deps, by: By, buildId: string, tokenId: string): Promise<void> {
  const found = await deps.change(by, [buildId], async (tx) => {
    if (!(await tx.tokens.revokeOfBuild(tokenId, buildId, deps.now()))) return tx.unaudited(false);
    tx.audit("token.revoked", buildId, { tokenId });
    return true;
  });
  if (!found) throw noToken(tokenId, "keyloan build tokens");
}

async function endLinks(
  tx: Pick<Tables, "handoffs" | "sessions">,
  tokenId: string,
  now: number,
): Promise<{ builds: number; visits: number }> {
  const maker = actorLabel({ kind: "platform", tokenId, scopes: [] });
  const builds = await tx.handoffs.expireByCreator(maker, now);
  return { builds, visits: await tx.sessions.endUnproven(maker, now) };
}

function noToken(tokenId: string, command: string): BrokerError {
  return new BrokerError("not_found", `there is no token ${tokenId} here`, {
    remedy: `List the tokens with \`${command}\`.`,
  });
}

function tokenView(row: TokenRow): TokenView {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    scopes: platformScopes.filter((scope) => row.scopes.includes(scope)),
    createdAt: isoTime(row.createdAt),
    ...(row.expiresAt === null ? {} : { expiresAt: isoTime(row.expiresAt) }),
    ...(row.revokedAt === null ? {} : { revokedAt: isoTime(row.revokedAt) }),
    ...(row.usedAt === null ? {} : { lastUsedAt: isoTime(row.usedAt) }),
  };
}
