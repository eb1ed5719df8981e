/**
 * Does something for each item in turn. One that fails stops no other.
 * @returns those that failed, with why
 */
export async function tryEach<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<readonly Failed<Item>[]> {
  const failed: Failed<Item>[] = [];
  for (const item of items) {
    if (signal?.aborted === true) break;
    try {
      await work(item);
    } catch (error) {
      failed.push({ item, error });
    }
  }
  return failed;
}

export type Failed<Item> = { readonly item: Item; readonly error: unknown };

/** The same, for a round of work that has failed when one of its items has. @throws the first failure, once all were tried */
export async function forEach<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  const [first] = await tryEach(items, work, signal);
  if (first !== undefined) throw first.error;
}
