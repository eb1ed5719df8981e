import type { HttpBindings } from "@hono/node-server";
import { type Actor, actorLabel, isId } from "@keyloan/contract";
import type { SessionRow } from "@keyloan/store";
import type { MiddlewareHandler } from "hono";
import type { ReadToken } from "../auth/tokens.ts";
import { noteRefusal } from "./audit-request.ts";
import { addressBuckets, clientAddress, type TrustedProxies } from "./client-address.ts";
import type { BrokerContext, BrokerEnv } from "./context.ts";
import { codeOf, credentialOf, mayBringCode } from "./credential.ts";
import { holderOf } from "./holder-of.ts";
import { type RateLimiter, rateLimited, type Taken } from "./rate-limit.ts";
import { bodyTimeoutMs } from "./read-body.ts";
import { routeOf } from "./route-of.ts";

/** What several of a build share, its tokens or its visitors, is so many times what one of them may do. */
const sharesOfBuild = 4;

/** What a body of two kilobytes takes that was sent with its headers. */
const hurriedBodyMs = 1_000;

/**
 * Recognises what a request carries and limits it, before its body is read and anything is done, looked up or
 * audited: by the credential when it is surely one of ours, and by its build when this process knows it already; else
 * by the address. Strangers and those whom we know never share a bucket, so nobody is locked out by somebody else.
 * Of what has ended one may have any number, so it counts for the address as well; what no route has asked about is
 * looked up at the end of the request.
 */
export function limitCallers(
  principals: RateLimiter,
  strangers: RateLimiter,
  proxies: TrustedProxies,
): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { deps } = context.var;
    context.set("clientAddress", () => addressOf(context, proxies));
    context.set("timesFoundBefore", deps.callers.timesFound());
    const ofAddress = takerOfAddress(context, strangers);
    const credential = (await codeBefore(context, ofAddress)) ?? credentialOf(context);
    context.set("credential", credential);
    const actor = credential === undefined ? undefined : deps.callers.find(credential.hash);
    // One of the old form says nothing of itself: until it was found once, looking for it is a stranger's.
    const isOurs = credential !== undefined && (credential.isProven || actor !== undefined);
    if (isOurs) {
      const own = [{ name: credential.hash, share: 1 }];
      const ofBuild = actor?.kind === "workload" ? bucketsOfBuild(actor, undefined) : [];
      const taken = takeAll(principals, [...own, ...ofBuild], deps.now());
      if (taken.waitSeconds > 0) await refuse(context, taken, actor);
      context.set("limitedBefore", ofBuild[0]?.name);
    }
    const mayHold = isOurs && !deps.callers.hasEnded(credential.hash);
    if (!mayHold) {
      const taken = ofAddress.take();
      if (taken.waitSeconds > 0) await refuse(context, taken, undefined);
    }
    await next();
    if (mayHold && (await holderOf(context)) === undefined) ofAddress.take();
  };
}

/** Takes from the bucket of a request's address, once however often it is asked to. */
type AddressTaker = {
  readonly take: () => Taken;
  /** It does not count for the address after all. */
  readonly giveBack: () => void;
};

function takerOfAddress(context: BrokerContext, strangers: RateLimiter): AddressTaker {
  let taken: Taken | undefined;
  const buckets = () => addressBuckets(context.var.clientAddress());
  return {
    take: () => {
      taken ??= takeAll(strangers, buckets(), context.var.deps.now());
      return taken;
    },
    giveBack: () => {
      if (taken?.waitSeconds === 0) for (const { name } of buckets()) strangers.giveBack(name);
      taken = undefined;
    },
  };
}

/**
 * The code that opens a visit. Its body has to be read first, by whoever sends it: that counts for the address until a good
 * one has come, and where the address has no more, the body has to be there at once.
 */
async function codeBefore(context: BrokerContext, ofAddress: AddressTaker): Promise<ReadToken | undefined> {
  if (!mayBringCode(context)) return undefined;
  const { waitSeconds } = ofAddress.take();
  // A body that cannot be read brings no code: the limits decide first, and then the route refuses it.
  const timeoutMs = waitSeconds === 0 ? bodyTimeoutMs : hurriedBodyMs;
  const code = await codeOf(context, timeoutMs).catch(() => undefined);
  if ((code ?? credentialOf(context))?.isProven === true) ofAddress.giveBack();
  return code;
}

/**
 * Limits what several of a build do together, tokens or visits; runs when it is known whom the route asks about. For
 * a token that this process has seen before, it was done before the body was read.
 */
export function limitBuild(principals: RateLimiter): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { actor, deps, session, limitedBefore } = context.var;
    const buckets = bucketsOfBuild(actor, session).filter(({ name }) => name !== limitedBefore);
    refuseLater(context, takeAll(principals, buckets, deps.now()));
    await next();
  };
}

/** Limits what a person, a visitor who is none, or the tokens of a build may do of a kind; others for each build. */
export function limitWork(limiter: RateLimiter): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const { actor, deps, session } = context.var;
    const id = context.req.param("id") ?? "";
    const own = [{ name: `${actorLabel(actor)} ${isId(id) ? id : ""}`, share: 1 }];
    const buckets =
      actor.kind === "workload"
        ? [{ name: actor.buildId, share: 1 }]
        : actor.kind === "session"
          ? bucketsOfBuild(actor, session)
          : own;
    refuseLater(context, takeAll(limiter, buckets, deps.now()));
    await next();
  };
}

/**
 * What is counted beside the credential itself, of which anybody may have many. A person's visits count as one, and so
 * do those of a user who was let in. Visitors who are not the person share a bucket too, which never is the person's:
 * they could lock the person out.
 */
function bucketsOfBuild(actor: Actor, session: SessionRow | undefined): readonly Bucket[] {
  if (actor.kind === "workload") return [{ name: actor.buildId, share: sharesOfBuild }];
  if (actor.kind !== "session" || session === undefined) return [];
  const { buildId, personId, identity, id } = session;
  if (personId !== null) return [{ name: `${buildId} ${personId}`, share: 1 }];
  return [
    { name: `${buildId} ${identity ?? id}`, share: 1 },
    { name: `${buildId} visitors`, share: sharesOfBuild },
  ];
}

type Bucket = { readonly name: string; readonly share: number };

/** The first refusal, if there is one: what comes after it is not taken from. */
function takeAll(limiter: RateLimiter, buckets: readonly Bucket[], nowMs: number): Taken {
  for (const { name, share } of buckets) {
    const taken = limiter.take(name, nowMs, share);
    if (taken.waitSeconds > 0) return taken;
  }
  return { waitSeconds: 0, isNews: false };
}

/** Throws the 429 of a limit that is reached. The route's own audit counts it; the log tells once a minute. */
export function refuseLater(context: BrokerContext, { waitSeconds, isNews }: Taken): void {
  if (waitSeconds === 0) return;
  context.set("isQuiet", !isNews);
  throw rateLimited(waitSeconds);
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

function addressOf(context: BrokerContext, proxies: TrustedProxies): string {
  // Set by the server that `start-broker.ts` brings.
  const { incoming } = context.env as Partial<HttpBindings>;
  const headers = {
    forwarded: context.req.header("forwarded"),
    xForwardedFor: context.req.header("x-forwarded-for"),
  };
  return clientAddress(incoming?.socket.remoteAddress ?? "", headers, proxies);
}
