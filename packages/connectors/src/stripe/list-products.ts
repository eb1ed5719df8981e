import { idPattern, idPrefixes, type ListedResource, ProviderError } from "@keyloan/contract";
import type Stripe from "stripe";
import { call } from "./client.ts";

const productPrefix = "keyloan_";

/** What the product of a lease is called: made of the random part of its id. */
export const productIdOf = (suffix: string) => `${productPrefix}${suffix}`;

/** An account has as many products as it likes; more pages than these are no list that ends. */
const pagesMax = 1_000;
const pageSizeMax = 100;

/**
 * The products of leases that are not archived, by their ids and the mark that only we set: neither the demo
 * product, which no lease owns, nor what is the account's own (Stripe API, products/list).
 * @throws ProviderError, `invalid_response` for a list that repeats itself or never ends
 */
export async function* listProducts(stripe: Stripe): AsyncGenerator<ListedResource> {
  const lastIds = new Set<string>();
  let last: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { data, has_more } = await call("list", () =>
      stripe.products.list({
        active: true,
        limit: pageSizeMax,
        ...(last === undefined ? {} : { starting_after: last }),
      }),
    );
    if (!Array.isArray(data)) throw lying();
    yield* data.flatMap(toResource);
    if (!has_more) return;
    last = data.at(-1)?.id;
    if (last === undefined || lastIds.has(last)) throw lying();
    lastIds.add(last);
  }
  throw lying();
}

function toResource({ id, active, metadata }: Stripe.Product): ListedResource[] {
  const suffix = id.slice(productPrefix.length);
  const isOurs = id === productIdOf(suffix) && idPattern("lease").test(`${idPrefixes.lease}_${suffix}`);
  if (!isOurs || !active || metadata?.managed_by !== "keyloan") return [];
  return [{ suffix, handle: { productId: id }, name: id }];
}

const lying = () =>
  new ProviderError("stripe", "invalid_response", "gave a list of products that does not end");
