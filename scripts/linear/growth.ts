const times = 8;
const roundsMax = 25;
/** Linear work gives 1, and work for each pair of characters gives 8; what is between is noise. */
const growthMax = 3.5;

/**
 * How many times longer one piece of work takes than eight of an eighth of its length. It compares two times of the
 * same moment, each the best of several, so a slow machine changes nothing.
 * @param work made ready for a length, and then run
 * @returns 1 for what is linear; measured no further once it is surely below what is allowed
 */
export function growthOf(work: (length: number) => () => void, length: number): number {
  const [short, long] = [work(length), work(length * times)];
  let [best, bestLong] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < roundsMax; round++) {
    best = Math.min(
      best,
      timeOf(() => {
        for (let time = 0; time < times; time++) short();
      }),
    );
    bestLong = Math.min(bestLong, timeOf(long));
    if (round >= 2 && bestLong / best < growthMax / 2) break;
    // Nothing else on the machine takes that long three times.
    if (round >= 2 && bestLong > 50) break;
  }
  return bestLong / best;
}

export const isLinear = (growth: number): boolean => growth < growthMax;

export function timeOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
