import { KeyloanError } from "./errors.ts";

export type PageQuery = {
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
};

/**
 * Every entry of a list, page after page from the query's cursor on, fetched as they are consumed.
 * @throws KeyloanError `not_a_broker` when the cursor does not move, which would never end
 */
export async function* eachOfPages<
  Query extends PageQuery,
  Page extends { readonly nextCursor?: string | undefined },
  Entry,
>(
  list: (query: Query) => Promise<Page>,
  entriesOf: (page: Page) => readonly Entry[],
  query: Query,
): AsyncGenerator<Entry, void, void> {
  let { cursor } = query;
  for (;;) {
    const page = await list({ ...query, cursor });
    yield* entriesOf(page);
    if (page.nextCursor === undefined) return;
    if (page.nextCursor === cursor) {
      throw new KeyloanError("not_a_broker", "The list does not end: its cursor points at itself.");
    }
    cursor = page.nextCursor;
  }
}
