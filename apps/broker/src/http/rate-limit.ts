import { BrokerError } from "@keyloan/contract";

type Bucket = { tokens: number; at: number; toldAt: number };

const bucketsMax = 50_000;
const tellIntervalMs = 60_000;

/** Whether a call may go on. */
export type Taken = {
  /** Seconds to wait, or 0 when the call may go on. */
  readonly waitSeconds: number;
  /** Whether this refusal is the first of its minute, and so worth a line in the log. */
  readonly isNews: boolean;
};

export type RateLimiter = {
  /** @param share how many times the usual rate this bucket has, for one that several callers share */
  readonly take: (bucket: string, nowMs: number, share?: number) => Taken;
  /** A call that was taken is not to count after all. */
  readonly giveBack: (bucket: string) => void;
  /** How many buckets are in memory. */
  readonly size: () => number;
};

const goOn: Taken = { waitSeconds: 0, isNews: false };

/** A bucket for each name: `perSecond` on average, `burst` at once; 0 sets no limit. */
export function createRateLimiter(
  perSecond: number,
  burst: number = Math.max(perSecond * 2, 1),
): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const refillMs = (burst / perSecond) * 1000;
  // The map is in order of last use. A bucket that nobody has used for so long is full, so to forget it changes
  // nothing; when there are too many, the one that is nearest to full goes, which never refuses anybody.
  const makeRoom = (nowMs: number) => {
    for (const [name, { at }] of buckets) {
      if (buckets.size < bucketsMax && nowMs - at < refillMs) return;
      buckets.delete(name);
    }
  };
  return {
    take: (name, nowMs, share = 1) => {
      if (perSecond === 0) return goOn;
      const most = burst * share;
      const perMs = (perSecond * share) / 1000;
      const known = buckets.get(name);
      if (known === undefined) makeRoom(nowMs);
      const bucket = known ?? { tokens: most, at: nowMs, toldAt: Number.NEGATIVE_INFINITY };
      bucket.tokens = Math.min(most, bucket.tokens + Math.max(nowMs - bucket.at, 0) * perMs);
      bucket.at = nowMs;
      if (known !== undefined) buckets.delete(name);
      buckets.set(name, bucket);
      if (bucket.tokens < 1) {
        const isNews = Math.abs(nowMs - bucket.toldAt) >= tellIntervalMs;
        if (isNews) bucket.toldAt = nowMs;
        return { waitSeconds: Math.ceil((1 - bucket.tokens) / perMs / 1000), isNews };
      }
      bucket.tokens -= 1;
      return goOn;
    },
    giveBack: (name) => {
      const bucket = buckets.get(name);
      // What is too much for the bucket goes when it is next asked.
      if (bucket !== undefined) bucket.tokens += 1;
    },
    size: () => buckets.size,
  };
}

/** The limit of one kind of work; there is none where the operator limits nothing. */
export function createWorkLimiter(
  { rateLimitPerSecond }: { readonly rateLimitPerSecond: number },
  perSecond: number,
  burst: number,
): RateLimiter {
  return createRateLimiter(rateLimitPerSecond === 0 ? 0 : perSecond, burst);
}

/** The 429 for a caller who has to wait. */
export function rateLimited(waitSeconds: number): BrokerError {
  return new BrokerError("rate_limited", "too many requests from this caller", {
    remedy: `Wait ${waitSeconds} s and try again.`,
    retryAfterSeconds: waitSeconds,
  });
}
