/** The outside world of a wait: all of it comes in. */
export type WaitTools = {
  /** Settles after the milliseconds; rejects when the signal ends it. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds since the epoch, or any clock that only goes forward. */
  readonly now: () => number;
  /** At least 0 and less than 1. */
  readonly random: () => number;
};

export type WaitLimits = {
  readonly timeoutMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
};

/**
 * Asks until the answer is yes, with pauses that grow and are spread by chance, so that many who wait
 * for one provider do not ask in step.
 * @returns `false` when the time is up; the last question is asked at its end
 * @throws what `ask` throws, and the signal's reason when it ends the wait
 */
export async function waitUntil(
  ask: () => Promise<boolean>,
  limits: WaitLimits,
  signal: AbortSignal,
  { sleep, now, random }: WaitTools,
): Promise<boolean> {
  const deadline = now() + limits.timeoutMs;
  for (let pauseMs = limits.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, limits.longestPauseMs)) {
    signal.throwIfAborted();
    if (await ask()) return true;
    const leftMs = deadline - now();
    if (leftMs <= 0) return false;
    await sleep(Math.min(pauseMs * (0.5 + random() / 2), leftMs), signal);
  }
}
