import { KeyloanError } from "./errors.ts";

const attemptsMax = 3;
const firstDelayMs = 200;
const delayMsMax = 10_000;

/**
 * Runs a call that is safe to repeat up to three times: when the broker was not reached, the
 * connection broke, or the answer was 503. Waits between attempts, or as long as `retry-after` says.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (count === attemptsMax || !mayHelp(error)) throw error;
      await sleep(delayMs(error, count));
    }
  }
}

function mayHelp(error: unknown): error is KeyloanError {
  if (!(error instanceof KeyloanError)) return false;
  return error.code === "not_reachable" || error.code === "connection_lost" || error.status === 503;
}

function delayMs(error: KeyloanError, count: number): number {
  const asked = error.retryAfterSeconds;
  if (asked !== undefined) return Math.min(asked * 1000, delayMsMax);
  return firstDelayMs * 2 ** (count - 1) * (0.5 + Math.random() / 2);
}
