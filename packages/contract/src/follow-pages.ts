import { ProviderError } from "./errors.ts";

/** One page of a listing, and where the next one begins; without that it is the last. */
export type Page<Item, Mark = string> = {
  readonly items: readonly Item[];
  readonly next?: Mark | undefined;
};

/** A page holds a thousand entries, so this is more than anyone has; a listing that is longer does not end. */
const pagesMax = 10_000;
const emptyPagesMax = 10;

/**
 * Follows a listing to its end, page by page.
 * @param provider what errors call whose it is
 * @param nameOf tells entries apart
 * @throws ProviderError `invalid_response` for a listing that comes back to where it was, goes on with nothing,
 * or never ends
 */
export async function* followPages<Item, Mark>(
  provider: string,
  read: (mark: Mark | undefined) => Promise<Page<Item, Mark>>,
  nameOf: (item: Item) => string,
): AsyncGenerator<readonly Item[], void, void> {
  const invalidResponse = (message: string) => new ProviderError(provider, "invalid_response", message);
  const seen = new Set<string>();
  const passOnce = (kind: string, name: string) => {
    const mark = `${kind} ${name}`;
    if (seen.has(mark)) throw invalidResponse("the list repeats itself");
    seen.add(mark);
  };
  let emptyPages = 0;
  let mark: Mark | undefined;
  for (let pages = 0; pages < pagesMax; pages++) {
    const { items, next } = await read(mark);
    const [first] = items;
    if (first !== undefined) passOnce("first", nameOf(first));
    yield items;
    if (next === undefined) return;
    emptyPages = first === undefined ? emptyPages + 1 : 0;
    if (emptyPages > emptyPagesMax) throw invalidResponse("the list continues with empty pages");
    passOnce("mark", JSON.stringify(next));
    mark = next;
  }
  throw invalidResponse("the list does not end");
}
