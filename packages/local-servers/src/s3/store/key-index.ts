import type { ObjectSummary } from "./object-info.ts";

/** The keys of a bucket in the order of their UTF-8 bytes, which is the order of S3's listings. */
export type KeyIndex = {
  readonly get: (key: string) => ObjectSummary | undefined;
  readonly set: (key: string, summary: ObjectSummary) => void;
  readonly remove: (key: string) => void;
  /** Sets many at once; cheaper than one by one. */
  readonly load: (entries: Iterable<readonly [string, ObjectSummary]>) => void;
  readonly size: () => number;
  readonly keyAt: (position: number) => string | undefined;
  /** The position of the first key for which `isBefore` is false; it must be false for all later keys too. */
  readonly search: (isBefore: (key: string) => boolean) => number;
};

export function createKeyIndex(): KeyIndex {
  const summaries = new Map<string, ObjectSummary>();
  let sorted: string[] = [];
  const search = (isBefore: (key: string) => boolean) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(sorted[middle] ?? "")) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const positionOf = (key: string) => search((candidate) => compareKeys(candidate, key) < 0);
  return {
    get: (key) => summaries.get(key),
    set: (key, summary) => {
      if (!summaries.has(key)) sorted.splice(positionOf(key), 0, key);
      summaries.set(key, summary);
    },
    remove: (key) => {
      if (summaries.delete(key)) sorted.splice(positionOf(key), 1);
    },
    load: (entries) => {
      for (const [key, summary] of entries) summaries.set(key, summary);
      sorted = [...summaries.keys()].sort(compareKeys);
    },
    size: () => sorted.length,
    keyAt: (position) => sorted[position],
    search,
  };
}

/**
 * Compares by code point, which is the order of UTF-8 bytes. JavaScript's own order differs: it puts
 * characters beyond U+FFFF before U+E000 to U+FFFF, because they are surrogate pairs.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

const rank = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
