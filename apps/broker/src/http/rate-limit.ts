import { actorLabel, BrokerError } from "@keyloan/contract";
import type { MiddlewareHandler } from "hono";
import type { BrokerContext, BrokerEnv } from "./context.ts";

type Bucket = { tokens: number; at: number };

const bucketsMax = 50_000;

export type RateLimiter = {
  /** Seconds to wait, or 0 when the call may go on. */
  readonly take: (principal: string, nowMs: number) => number;
  /** A call that was taken is not to count after all. */
  readonly giveBack: (principal: string) => void;
};

/** A token bucket per principal: `perSecond` on average, `burst` at once; 0 sets no limit. */
export function createRateLimiter(perSecond: number, burst: number = perSecond * 2): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take: (principal, nowMs) => {
      if (perSecond === 0) return 0;
      const bucket = buckets.get(principal) ?? { tokens: burst, at: nowMs };
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(nowMs - bucket.at, 0) / 1000) * perSecond);
      bucket.at = nowMs;
      // Re-inserting keeps the map in order of last use, so that the oldest is the one to forget.
      buckets.delete(principal);
      buckets.set(principal, bucket);
      if (buckets.size > bucketsMax) buckets.delete(buckets.keys().next().value ?? "");
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perSecond);
      bucket.tokens -= 1;
      return 0;
    },
    giveBack: (principal) => {
      const bucket = buckets.get(principal);
      if (bucket !== undefined) bucket.tokens = Math.min(burst, bucket.tokens + 1);
    },
  };
}

/** Limits by the caller: the token's id once it is known, the address before. */
export function rateLimit(
  limiter: RateLimiter,
  principalOf: "address" | "token",
): MiddlewareHandler<BrokerEnv> {
  return async (context, next) => {
    const principal =
      principalOf === "token"
        ? (context.var.token?.id ?? actorLabel(context.var.actor))
        : `address:${addressOf(context) ?? "unknown"}`;
    takeOrRefuse(limiter, principal, context.var.deps.now());
    await next();
  };
}

/** @throws BrokerError `rate_limited` */
export function takeOrRefuse(limiter: RateLimiter, principal: string, nowMs: number): void {
  const waitSeconds = limiter.take(principal, nowMs);
  if (waitSeconds === 0) return;
  throw new BrokerError("rate_limited", "too many requests from this caller", {
    remedy: `Wait ${waitSeconds} s and try again.`,
    retryAfterSeconds: waitSeconds,
  });
}

/** Where a request comes from. */
export function addressOf(context: BrokerContext): string | undefined {
  const bindings: unknown = context.env;
  if (typeof bindings === "object" && bindings !== null && "incoming" in bindings) {
    const { incoming } = bindings;
    if (typeof incoming === "object" && incoming !== null && "socket" in incoming) {
      const { socket } = incoming;
      if (typeof socket === "object" && socket !== null && "remoteAddress" in socket) {
        return String(socket.remoteAddress);
      }
    }
  }
  return undefined;
}
