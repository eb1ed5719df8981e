import { KeyloanError } from "./errors.ts";

export type PageQuery = {
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
};

/**
 * Every entry of a list, page after page, fetched as they are consumed.
 * @throws KeyloanError `not_a_broker` when the cursor does not move, which would never end
 */
export async function* eachOfPages<Page extends { readonly nextCursor?: string | undefined }, Entry>(
  fetchPage: (cursor: string | undefined) => Promise<Page>,
  entriesOf: (page: Page) => readonly Entry[],
  firstCursor?: string,
): AsyncGenerator<Entry, void, void> {
  let cursor = firstCursor;
  for (;;) {
    const page = await fetchPage(cursor);
    yield* entriesOf(page);
    if (page.nextCursor === undefined) return;
    if (page.nextCursor === cursor) {
      throw new KeyloanError("not_a_broker", "The list does not end: its cursor points at itself.");
    }
    cursor = page.nextCursor;
  }
}
