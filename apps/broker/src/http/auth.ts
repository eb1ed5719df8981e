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
import { writeAudit } from "../verbs/audit.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";

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
    const { actor, token } = await identify(context.var.deps, context.req.header("authorization"));
    context.set("actor", actor);
    context.set("token", token);
    if (!isAllowed(access, actor, context.req.param("id"))) await refuse(context, actor);
    await next();
  };
}

/** The caller of a bearer token. */
async function identify(
  deps: Pick<Deps, "store" | "tokens" | "now">,
  header: string | undefined,
): Promise<{ actor: Actor; token: TokenRow | undefined }> {
  const text = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (text === undefined) {
    throw unauthenticated("a token is needed", "Send the header `Authorization: Bearer klo_…`.");
  }
  const read = deps.tokens.read(text, tokenKinds);
  if (read === undefined) throw unknownToken();
  if (read.kind === "admin") return { actor: { kind: "admin", subject: "admin" }, token: undefined };
  const token = await deps.store.read.tokens.findByHash(read.hash);
  if (token === undefined || !textsMatch(read.hash, token.hash)) throw unknownToken();
  if (token.revokedAt !== null) throw unauthenticated("the token was revoked", "Ask for a new token.");
  if (token.singleUse && token.usedAt !== null) {
    throw unauthenticated("the token works once and was used", "Ask for a new token.");
  }
  if (token.expiresAt !== null && token.expiresAt <= deps.now()) {
    throw new BrokerError("token_expired", "the token has expired", { remedy: "Ask for a new token." });
  }
  return { actor: actorOf(token), token };
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

async function refuse(context: BrokerContext, actor: Actor): Promise<never> {
  const { deps, requestId } = context.var;
  await writeAudit(deps, {
    actor,
    action: "request.refused",
    entity: context.req.param("id") ?? "broker",
    details: { method: context.req.method, route: context.req.routePath },
    requestId,
  });
  throw new BrokerError("forbidden", "this token may not do that", {
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
