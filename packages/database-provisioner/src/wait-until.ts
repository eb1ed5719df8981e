export type WaitDeps = {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => number;
};

const firstWaitMs = 10;
const waitMsMax = 1_000;

/**
 * Asks again, ever more seldom, until the answer is yes.
 * @returns false when the time is over or the signal ended the wait
 * @throws what `probe` throws
 */
export async function waitUntil(
  deps: WaitDeps,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  probe: () => Promise<boolean>,
): Promise<boolean> {
  const endsAt = deps.now() + options.timeoutMs;
  for (let attempt = 0; ; attempt++) {
    if (await probe()) return true;
    const waitMs = Math.min(firstWaitMs * 2 ** attempt, waitMsMax);
    if (options.signal.aborted || deps.now() + waitMs > endsAt) return false;
    await deps.sleep(waitMs, options.signal);
  }
}
