import type { HttpBindings } from "@hono/node-server";
import { type Actor, actorLabel, isId } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { noteRefusal } from "./audit-request.ts";
import { addressBuckets, clientAddress, type TrustedProxies } from "./client-address.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { credentialOf } from "./credential.ts";
import { type RateLimiter, rateLimited, type Taken } from "./rate-limit.ts";

/** A build's tokens together may do as much as so many of them. */
const tokensOfBuild = 4;

/**
 * Recognises what a request carries and limits it, before its body is read and anything is done, looked up or
 * audited: by the credential when it is surely one of ours, else by the address. Strangers and those whom
 * we know never share a bucket, so nobody is locked out by somebody else.
 */
export function limitCallers(
  principals: RateLimiter,
  strangers: RateLimiter,
  proxies: TrustedProxies,
): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { deps } = context.var;
    context.set("clientAddress", () => addressOf(context, proxies));
    const credential = await credentialOf(context);
    context.set("credential", credential);
    const actor = credential === undefined ? undefined : deps.callers.find(credential.hash);
    // One of the old form says nothing of itself: until it was found once, looking for it is a stranger's.
    if (credential !== undefined && (credential.isProven || actor !== undefined)) {
      const taken = principals.take(credential.hash, deps.now());
      if (taken.waitSeconds > 0) await refuse(context, taken, actor);
    } else {
      for (const { name, share } of addressBuckets(context.var.clientAddress())) {
        const taken = strangers.take(name, deps.now(), share);
        if (taken.waitSeconds > 0) await refuse(context, taken, undefined);
      }
    }
    await next();
  };
}

/** Limits what all tokens of a build do together; runs when it is known whose the token is. */
export function limitBuild(principals: RateLimiter): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { actor, deps } = context.var;
    if (actor.kind === "workload") {
      const taken = principals.take(actor.buildId, deps.now(), tokensOfBuild);
      // The route's own audit counts it.
      if (taken.waitSeconds > 0) throw rateLimited(taken.waitSeconds);
    }
    await next();
  };
}

/** Limits what a session, or a token for one build, may do of a kind. */
export function limitWork(limiter: RateLimiter): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { actor, deps } = context.var;
    const id = context.req.param("id") ?? "";
    const taken = limiter.take(`${actorLabel(actor)} ${isId(id) ? id : ""}`, deps.now());
    if (taken.waitSeconds > 0) throw rateLimited(taken.waitSeconds);
    await next();
  };
}

async function refuse(
  context: BrokerContext,
  { waitSeconds, isNews }: Taken,
  actor: Actor | undefined,
): Promise<never> {
  const error = rateLimited(waitSeconds);
  context.set("isQuiet", !isNews);
  if (actor !== undefined) {
    await noteRefusal(context, actor, { route: routeOf(context), status: 429, code: error.code });
  }
  throw error;
}

/** The route that would have answered, as the OpenAPI document writes it. */
function routeOf(context: BrokerContext): string {
  const route = matchedRoutes(context).findLast(({ method }) => method !== "ALL");
  return route === undefined ? "*" : route.path.replace(/:(\w+)/g, "{$1}");
}

function addressOf(context: BrokerContext, proxies: TrustedProxies): string {
  // Set by the server that `start-broker.ts` brings.
  const { incoming } = context.env as Partial<HttpBindings>;
  const headers = {
    forwarded: context.req.header("forwarded"),
    xForwardedFor: context.req.header("x-forwarded-for"),
  };
  return clientAddress(incoming?.socket.remoteAddress ?? "", headers, proxies);
}
