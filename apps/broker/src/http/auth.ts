import {
  type Actor,
  BrokerError,
  type PlatformScope,
  platformScopes,
  type TokenKind,
  tokenKinds,
} from "@keyloan/contract";
import type { TokenRow } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import type { Deps } from "../deps.ts";
import { textsMatch } from "../tokens.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { bearerOf } from "./credential.ts";

/** Who may call a route. A workload reaches only routes that name one build, and only its own. */
export type Access = {
  readonly admin: boolean;
  /** The scope a platform token needs; absent: platforms may not call the route. */
  readonly platform?: PlatformScope;
  readonly workload?: boolean;
};

/** Finds who calls, or refuses: 401 when that is not known, 403 when it is and is not enough. */
export function authenticate(access: Access): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { actor, token } = await identify(context);
    context.set("actor", actor);
    context.set("token", token);
    if (!isAllowed(access, actor, context.req.param("id"))) throw forbidden(actor);
    await next();
  };
}

/** The caller of a bearer token. */
async function identify(context: BrokerContext): Promise<{ actor: Actor; token: TokenRow | undefined }> {
  const { credential, deps } = context.var;
  if (credential === undefined || !tokenKinds.some((kind) => kind === credential.kind)) {
    if (bearerOf(context) !== undefined) throw unknownToken();
    throw unauthenticated("a token is needed", "Send the header `Authorization: Bearer klo_…`.");
  }
  const { hash } = credential;
  try {
    const token = credential.kind === "admin" ? undefined : await findToken(deps, hash);
    const actor: Actor = token === undefined ? { kind: "admin", subject: "admin" } : actorOf(token);
    deps.callers.remember(hash, actor);
    return { actor, token };
  } catch (error) {
    if (error instanceof BrokerError) deps.callers.forget(hash);
    throw error;
  }
}

async function findToken(deps: Pick<Deps, "store" | "now">, hash: string): Promise<TokenRow> {
  const token = await deps.store.read.tokens.findByHash(hash);
  if (token === undefined || !textsMatch(hash, token.hash)) throw unknownToken();
  if (token.revokedAt !== null) throw unauthenticated("the token was revoked", "Ask for a new token.");
  if (token.singleUse && token.usedAt !== null) {
    throw unauthenticated("the token works once and was used", "Ask for a new token.");
  }
  if (token.expiresAt !== null && token.expiresAt <= deps.now()) {
    throw new BrokerError("token_expired", "the token has expired", { remedy: "Ask for a new token." });
  }
  return token;
}

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
  return new BrokerError("forbidden", "this token may not do that", {
    remedy:
      actor.kind === "workload"
        ? "A build token reads the env of its own build and nothing else."
        : "Use a token with the scope this route needs; the admin makes them with `keyloan token create`.",
  });
}

const unauthenticated = (message: string, remedy: string) =>
  new BrokerError("unauthenticated", message, { remedy });
const unknownToken = () =>
  unauthenticated(
    "the token is not known here",
    "Check that it was copied whole and belongs to this broker.",
  );
