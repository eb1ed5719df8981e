import { setImmediate } from "node:timers/promises";

/**
 * The pages of a list, one after the other, with a turn for others between them. A row that the broker did not write may
 * be read as something else than the list is sorted by, and lead back: the pages end there.
 * @param read gives the rows after one, none at the end
 */
export async function* everyPage<T extends { readonly id: string }>(
  read: (after: T | undefined) => Promise<readonly T[]>,
): AsyncGenerator<readonly T[], void, void> {
  const seen = new Set<string>();
  let after: T | undefined;
  for (;;) {
    const page = await read(after);
    after = page.at(-1);
    if (after === undefined || seen.has(after.id)) return;
    seen.add(after.id);
    yield page;
    await setImmediate();
  }
}
