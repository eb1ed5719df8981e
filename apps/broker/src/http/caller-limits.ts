import { type WorkKind, workKinds } from "@keyloan/contract";
import { createRateLimiter, createWorkLimiter, type RateLimiter } from "./rate-limit.ts";

/** What those whom the broker knows may do: requests of any kind, and each kind of work beside. */
export type CallerLimits = {
  readonly requests: RateLimiter;
  readonly work: Readonly<Record<WorkKind, RateLimiter>>;
};

/** Nobody does more by hand. Renewals are the rarest: they use up what all builds share at a provider. */
const workRates: Readonly<Record<WorkKind, { readonly perSecond: number; readonly burst: number }>> = {
  ask: { perSecond: 0.5, burst: 20 },
  move: { perSecond: 0.5, burst: 20 },
  file: { perSecond: 0.5, burst: 20 },
  renew: { perSecond: 0.1, burst: 5 },
};

export function createCallerLimits(config: { readonly rateLimitPerSecond: number }): CallerLimits {
  const limiterOf = (kind: WorkKind) => {
    const { perSecond, burst } = workRates[kind];
    return createWorkLimiter(config, perSecond, burst);
  };
  const made = workKinds.map((kind) => [kind, limiterOf(kind)] as const);
  return {
    requests: createRateLimiter(config.rateLimitPerSecond),
    // Holds because there is one for each kind.
    work: Object.fromEntries(made) as Record<WorkKind, RateLimiter>,
  };
}
