import { followPages, type Page, ProviderError } from "@keyloan/contract";

/** Every item of a list, page by page. @throws ProviderError as {@link followPages} does */
export async function* everyItem<T>(
  provider: string,
  ask: (cursor: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<T> {
  for await (const items of followPages(provider, ask, (item) => JSON.stringify(item))) yield* items;
}

/** A page of a list whose next page starts after the last item's id, if the list says that there is more. */
export function pageAfter<T extends { readonly id: string }>(
  provider: string,
  { data, has_more }: { readonly data: readonly T[]; readonly has_more: boolean },
): Page<T> {
  if (!has_more) return { items: data };
  const next = data.at(-1)?.id;
  if (next !== undefined) return { items: data, next };
  throw new ProviderError(provider, "invalid_response", "reports that an empty page has more pages after it");
}
