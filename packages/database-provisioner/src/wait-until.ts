/** The clock, timer and randomness that a wait uses. */
export type WaitTools = {
  /** Resolves after the milliseconds; rejects if the signal is aborted. */
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
 * Calls `ask` until it returns true, with pauses that grow and vary at random, so that many callers who wait for one
 * provider do not ask at the same time.
 * @returns `false` if the time is up; `ask` is called once more at its end
 * @throws what `ask` throws, and the signal's reason if it is aborted
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
