import { ProviderError } from "@keyloan/contract";

/** One page of a list, and where the next one starts; the last page has none. */
export type Page<T> = { readonly items: readonly T[]; readonly next?: string | undefined };

/**
 * Every item of a list, page by page.
 * @throws ProviderError `invalid_response` for a list that turns in a circle or does not end
 */
export async function* everyItem<T>(
  provider: string,
  ask: (cursor: string | undefined) => Promise<Page<T>>,
  pagesMax = 1_000,
): AsyncGenerator<T> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { items, next } = await ask(cursor);
    yield* items;
    if (next === undefined) return;
    if (seen.has(next)) break;
    seen.add(next);
    cursor = next;
  }
  throw new ProviderError(provider, "invalid_response", "gave a list that does not end");
}

/** The same for lists that go on after the last item's id, for as long as they say that there is more. */
export function pageAfter<T extends { readonly id: string }>(
  provider: string,
  { data, has_more }: { readonly data: readonly T[]; readonly has_more: boolean },
): Page<T> {
  if (!has_more) return { items: data };
  const next = data.at(-1)?.id;
  if (next !== undefined) return { items: data, next };
  throw new ProviderError(provider, "invalid_response", "says that an empty page goes on");
}
