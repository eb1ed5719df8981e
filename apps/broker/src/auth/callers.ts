import { type Access, type Actor, BrokerError, platformScopes, type TokenKind } from "@keyloan/contract";
import { isOver, type TokenRow } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import { type ReadToken, textsMatch } from "./tokens.ts";

export type Caller = { readonly actor: Actor; readonly token: TokenRow | undefined };

/**
 * Who a token belongs to.
 * @throws BrokerError `unauthenticated` when it is not known, was revoked or used up; `token_expired`
 */
export async function findCaller(
  deps: Pick<Deps, "store" | "now" | "callers">,
  credential: ReadToken,
): Promise<Caller> {
  const { kind, hash } = credential;
  try {
    const token = kind === "admin" ? undefined : await findToken(deps, hash);
    const actor: Actor = token === undefined ? { kind: "admin", subject: "admin" } : actorOf(token);
    deps.callers.remember(hash, actor);
    return { actor, token };
  } catch (error) {
    if (error instanceof BrokerError) deps.callers.end(credential);
    throw error;
  }
}

/** @throws BrokerError `forbidden` when the caller is known and may not call a route with this access */
export function requireAccess(access: Access, actor: Actor, buildId: string | undefined): void {
  if (!isAllowed(access, actor, buildId)) throw forbidden(actor);
}

async function findToken(deps: Pick<Deps, "store" | "now">, hash: string): Promise<TokenRow> {
  const token = await deps.store.read.tokens.findByHash(hash);
  if (token === undefined || !textsMatch(hash, token.hash)) throw unknownToken();
  if (token.revokedAt !== null) throw tokenRevoked();
  if (token.singleUse && token.usedAt !== null) {
    throw unauthenticated("the token works only once and was already used", "Ask for a new token.");
  }
  if (hasExpired(token, deps.now())) {
    throw new BrokerError("token_expired", "the token has expired", { remedy: "Ask for a new token." });
  }
  return token;
}

/** One without an end never does. */
export const hasExpired = ({ createdAt, expiresAt }: TokenRow, now: number): boolean =>
  expiresAt !== null && isOver({ createdAt, expiresAt }, now);

function actorOf(token: TokenRow): Actor {
  const kind: TokenKind = token.kind;
  if (kind === "build" && token.buildId !== null) {
    return { kind: "workload", tokenId: token.id, buildId: token.buildId };
  }
  if (kind === "api") {
    const scopes = platformScopes.filter((scope) => token.scopes.includes(scope));
    return { kind: "platform", tokenId: token.id, scopes };
  }
  throw unknownToken();
}

function isAllowed(access: Access, actor: Actor, buildId: string | undefined): boolean {
  if (actor.kind === "admin") return access.admin;
  if (actor.kind === "platform")
    return access.platform !== undefined && actor.scopes.includes(access.platform);
  return actor.kind === "workload" && access.workload === true && actor.buildId === buildId;
}

function forbidden(actor: Actor): BrokerError {
  return new BrokerError("forbidden", "this token does not have permission to do that", {
    remedy:
      actor.kind === "workload"
        ? "A build token can only read the env of its own build."
        : "Use a token with the scope that this route needs; the admin makes them with `keyloan token create`.",
  });
}

export const unauthenticated = (message: string, remedy: string) =>
  new BrokerError("unauthenticated", message, { remedy });
export const tokenRevoked = () => unauthenticated("the token was revoked", "Ask for a new token.");
export const unknownToken = () =>
  unauthenticated(
    "the broker does not know this token",
    "Check that you copied it completely and that it belongs to this broker.",
  );
