import { setTimeout as delay } from "node:timers/promises";
import { ProviderError } from "@keyloan/contract";

/** Waits until one more call is allowed. */
export type RateLimiter = (signal: AbortSignal) => Promise<void>;

export type RateLimiterOptions = {
  readonly provider: string;
  /** Calls a second, evenly spread. */
  readonly perSecond: number;
  /** Calls that may be made at once after a pause; no second ever sees more than `perSecond + burst`. */
  readonly burst: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

/**
 * Spreads calls so that a provider's limit is not exceeded. Callers are let through in the order of their calls.
 * The returned function throws ProviderError `timeout` when the signal ends the wait.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const {
    provider,
    perSecond,
    burst,
    now = () => performance.now(),
    wait = (ms, signal) => delay(ms, undefined, { signal }),
  } = options;
  const spacingMs = 1000 / perSecond;
  // When the last call let through so far would be due if all of them were evenly spread.
  let dueMs = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const timeMs = now();
    dueMs = Math.max(dueMs, timeMs - burst * spacingMs) + spacingMs;
    const waitMs = dueMs - timeMs;
    try {
      signal.throwIfAborted();
      if (waitMs > 0) await wait(waitMs, signal);
    } catch {
      throw new ProviderError(provider, "timeout", "the wait for a free call was interrupted");
    }
  };
}
