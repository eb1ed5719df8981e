import type { Deps } from "../../deps.ts";
import { tryEach } from "../../each.ts";
import { closeExpired } from "./close-build.ts";

const pageMax = 100;
const atOnce = 2;

/**
 * Closes every build whose time is over, a few at a time, until none is left. Their leases are ended at their
 * providers by {@link claimDueJobs}, here or in another broker.
 * @returns how many builds this call has closed
 * @throws the first failure, when the others are closed
 */
export async function sweepExpired(
  deps: Deps,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  let closed = 0;
  const failed = new Map<string, unknown>();
  for (;;) {
    const due = await deps.store.read.builds.listExpired(deps.now(), pageMax + failed.size);
    const closedBefore = closed;
    // Both take from one list.
    const left = shuffled(
      deps,
      due.filter((id) => !failed.has(id)),
    ).values();
    const closeOne = async (id: string) => {
      if (await closeExpired(deps, id)) closed++;
    };
    const closing = Array.from({ length: atOnce }, () => tryEach(left, closeOne, signal));
    for (const { item, error } of (await Promise.all(closing)).flat()) failed.set(item, error);
    // Another broker took all of this page, or there was none: what is left comes with the next sweep.
    if (closed > closedBefore && !signal.aborted) continue;
    for (const error of failed.values()) throw error;
    return closed;
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
