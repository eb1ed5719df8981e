import { setImmediate } from "node:timers/promises";

/** Counts steps, and yields to other work each time enough of them were taken. */
export type Turns = (steps: number) => Promise<void>;

/** A step is one item that is processed: this many take a few milliseconds. */
const stepsPerTurn = 2_000;

export function createTurns(): Turns {
  let taken = 0;
  return async (steps) => {
    taken += steps;
    if (taken < stepsPerTurn) return;
    taken = 0;
    await setImmediate();
  };
}

/** Sorts as `toSorted` does, but in slices that are then merged, yielding to other work in between. */
export async function sortInTurns<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  turns: Turns,
): Promise<readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += stepsPerTurn) {
    runs.push(items.slice(start, start + stepsPerTurn).sort(compare));
    await turns(stepsPerTurn);
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], compare, turns));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  turns: Turns,
): Promise<readonly T[]> {
  const merged: T[] = [];
  let [at, other] = [0, 0];
  while (at < left.length || other < right.length) {
    const [a, b] = [left[at], right[other]];
    if (a !== undefined && (b === undefined || compare(a, b) <= 0)) {
      merged.push(a);
      at++;
    } else if (b !== undefined) {
      merged.push(b);
      other++;
    }
    if (merged.length % stepsPerTurn === 0) await turns(stepsPerTurn);
  }
  return merged;
}
