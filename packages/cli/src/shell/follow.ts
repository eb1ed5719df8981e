import type { Io } from "./io.ts";

const pollMs = 1000;

export type Followed<T> = {
  readonly first: T;
  readonly ask: () => Promise<T>;
  /** What it is at, for whoever watches; `undefined` when nothing more happens by itself. */
  readonly isAt: (latest: T) => string | undefined;
  /** When to stop asking, in milliseconds since the epoch. */
  readonly until?: number;
};

/** Asks every second how something goes on, and gives the last answer: settled, or what it was at when the time was up. */
export async function follow<T>(
  io: Pick<Io, "now" | "sleep">,
  show: (text: string) => void,
  { first, ask, isAt, until = Number.POSITIVE_INFINITY }: Followed<T>,
): Promise<T> {
  let latest = first;
  for (let text = isAt(latest); text !== undefined && io.now() < until; text = isAt(latest)) {
    show(text);
    await io.sleep(pollMs);
    latest = await ask();
  }
  return latest;
}
