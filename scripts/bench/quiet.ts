import { setTimeout as delay } from "node:timers/promises";

const loopSteps = 12_000_000;
const variationMax = 1.15;

/** How many rounds were thrown away because something else used the machine, and how many were kept all the same. */
export type Quiet = { readonly discarded: number; readonly noisy: number };

export type Rounds<T> = { readonly results: readonly T[]; readonly quiet: Quiet };

/**
 * Runs `count` rounds and measures a fixed piece of work around each: where it took more than 15 % longer than
 * at its best, something else was running, and the round is thrown away and repeated while `untilMs` has not
 * come. What stays noisy is kept and counted.
 * @param untilMs by performance.now()
 */
export async function quietRounds<T>(
  count: number,
  untilMs: number,
  round: (index: number) => Promise<T>,
): Promise<Rounds<T>> {
  const quietResults: T[] = [];
  const noisyResults: T[] = [];
  let best = Math.min(fixedWorkMs(), fixedWorkMs(), fixedWorkMs());
  for (let index = 0; quietResults.length < count; index++) {
    const late = performance.now() > untilMs;
    if (late && quietResults.length + noisyResults.length >= count) break;
    const before = fixedWorkMs();
    const result = await round(index);
    const after = fixedWorkMs();
    best = Math.min(best, before, after);
    if (Math.max(before, after) <= best * variationMax) quietResults.push(result);
    else {
      noisyResults.push(result);
      if (!late) await delay(250);
    }
  }
  const kept = noisyResults.slice(-Math.max(0, count - quietResults.length) || noisyResults.length);
  const noisy = Math.max(0, count - quietResults.length);
  return {
    results: noisy === 0 ? quietResults : [...quietResults, ...kept],
    quiet: { discarded: noisyResults.length - noisy, noisy },
  };
}

function fixedWorkMs(): number {
  const started = performance.now();
  let value = 1;
  for (let step = 0; step < loopSteps; step++) value = (value * 31 + step) | 0;
  // The result is used, or the loop would be left out.
  return performance.now() - started + (value === 0 ? 1e-9 : 0);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** `part` is 0.5 for the median, 0.99 for p99. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
