import type { Deps } from "../../deps.ts";
import { closeExpired } from "./close-build.ts";

const pageMax = 100;
const atOnce = 2;

/**
 * Closes every build whose time is over, a few at a time, until none is left. Their leases are ended at their
 * providers by {@link claimDueJobs}, here or in another broker.
 * @returns how many builds this call has closed
 */
export async function sweepExpired(
  deps: Deps,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  let closed = 0;
  for (;;) {
    const due = await deps.store.read.builds.listExpired(deps.now(), pageMax);
    const closedBefore = closed;
    const left = shuffled(deps, due);
    const closeSome = async () => {
      for (let id = left.pop(); id !== undefined && !signal.aborted; id = left.pop()) {
        if (await closeExpired(deps, id)) closed++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, closeSome));
    // Another broker took all of this page, or there was none: what is left comes with the next sweep.
    if (closed === closedBefore || signal.aborted) return closed;
  }
}

/** Brokers that sweep at the same time begin with other builds each. */
function shuffled({ randomBytes }: Pick<Deps, "randomBytes">, ids: readonly string[]): string[] {
  const order = randomBytes(ids.length * 2);
  const placeOf = (index: number) => (order[index * 2] ?? 0) * 256 + (order[index * 2 + 1] ?? 0);
  return ids
    .map((id, index) => ({ id, place: placeOf(index) }))
    .sort((left, right) => left.place - right.place)
    .map(({ id }) => id);
}
