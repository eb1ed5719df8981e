import { ProviderError } from "@keyloan/contract";
import type { Deps } from "../deps.ts";

const firstWaitMs = 200;
const waitMsMax = 10_000;

/** A random wait that grows with the attempt: full jitter spreads callers that failed together. */
export function backoffMs(
  randomBytes: Deps["randomBytes"],
  attempt: number,
  firstMs: number = firstWaitMs,
  mostMs: number = waitMsMax,
): number {
  const most = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 20));
  const [high = 0, low = 0] = randomBytes(2);
  return Math.ceil(most * (0.5 + (high * 256 + low) / 131_070));
}

/**
 * Repeats a call while the provider's failure is one that passes by itself, as long as `signal` allows; a
 * `Retry-After` is honoured, and one that leads past `untilMs` ends the tries at once.
 * @throws the last failure
 */
export async function withRetry<T>(
  deps: Pick<Deps, "now" | "sleep" | "randomBytes" | "pace">,
  limits: { readonly untilMs: number; readonly signal: AbortSignal },
  call: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.retryable || limits.signal.aborted) throw error;
      const ownMs = backoffMs(deps.randomBytes, attempt) * deps.pace;
      const waitMs = Math.max((error.retryAfterSeconds ?? 0) * 1000, ownMs);
      if (deps.now() + waitMs >= limits.untilMs) throw error;
      await deps.sleep(waitMs, limits.signal);
      if (limits.signal.aborted) throw error;
    }
  }
}
