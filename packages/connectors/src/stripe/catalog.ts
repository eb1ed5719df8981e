import { ProviderError } from "@keyloan/contract";
import type Stripe from "stripe";
import { unlessGone } from "../kit/named-resource.ts";
import { call, checkAnswer } from "./client.ts";
import { readFailure } from "./errors.ts";

export type WantedProduct = {
  readonly id: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
};

export type WantedPrice = {
  readonly lookupKey: string;
  readonly currency: string;
  readonly unitAmount: number;
  readonly interval?: Stripe.PriceCreateParams.Recurring.Interval;
  readonly metadata: Readonly<Record<string, string>>;
};

type Settings = {
  /** Derived from the lease, so that a call repeated after a crash makes nothing twice. Absent: none is sent. */
  readonly idempotencyKey?: string;
};

const pagesMax = 50;

/**
 * Makes a product under our own id, or takes the one that is there (Stripe API, products/create).
 * @throws ProviderError `conflict` when the product of that id was not made by Keyloan
 */
export async function ensureProduct(
  stripe: Stripe,
  wanted: WantedProduct,
  settings: Settings,
): Promise<void> {
  const { id, name } = wanted;
  const metadata = { managed_by: "keyloan", ...wanted.metadata };
  const created = await create(
    settings,
    (options) => stripe.products.create({ id, name, metadata }, options),
    ({ code }) => code === "resource_already_exists",
  );
  const product = await (created === undefined
    ? call("product", () => stripe.products.retrieve(id))
    : checkAnswer("product", created));
  if (product.id !== id || product.metadata.managed_by !== "keyloan") {
    throw new ProviderError(
      "stripe",
      "conflict",
      "a product with this id exists and was not made by Keyloan",
    );
  }
  if (!product.active) await call("product", () => stripe.products.update(id, { active: true }));
}

/** Makes a price of a product, or takes the one with its lookup key. Gives the price's id. */
export async function ensurePrice(
  stripe: Stripe,
  productId: string,
  wanted: WantedPrice,
  settings: Settings,
): Promise<string> {
  const { lookupKey, currency, unitAmount, interval, metadata } = wanted;
  const found = await findPrice(stripe, lookupKey);
  if (found !== undefined) return adoptPrice(stripe, productId, found);
  const created = await create(
    settings,
    (options) =>
      stripe.prices.create(
        {
          product: productId,
          currency,
          unit_amount: unitAmount,
          lookup_key: lookupKey,
          metadata: { managed_by: "keyloan", ...metadata },
          ...(interval === undefined ? {} : { recurring: { interval } }),
        },
        options,
      ),
    ({ lookupKeyTaken }) => lookupKeyTaken,
  );
  if (created !== undefined) return checkAnswer("price", created).id;
  // Lists leave out what is archived unless they are asked for it ("Stripe API, list all prices").
  const other = (await findPrice(stripe, lookupKey)) ?? (await findPrice(stripe, lookupKey, false));
  if (other === undefined)
    throw new ProviderError("stripe", "unavailable", "a price that was just made is not shown");
  return adoptPrice(stripe, productId, other);
}

/** Archives a product and all its prices, and reads back that nothing of them can be bought. Gone is done. */
export async function archiveProduct(stripe: Stripe, productId: string): Promise<void> {
  const product = await retrieveProduct(stripe, productId);
  if (product === undefined) return;
  if (product.metadata.managed_by !== "keyloan") {
    throw new ProviderError("stripe", "conflict", "the product with this id was not made by Keyloan");
  }
  for (const priceId of await activePriceIds(stripe, productId)) {
    await call("price", () => stripe.prices.update(priceId, { active: false }));
  }
  if (product.active) await call("product", () => stripe.products.update(productId, { active: false }));
  const after = await retrieveProduct(stripe, productId);
  if (after?.active === true || (await activePriceIds(stripe, productId)).length > 0) {
    throw new ProviderError("stripe", "unavailable", "archived products are still shown as active");
  }
}

async function adoptPrice(stripe: Stripe, productId: string, price: Stripe.Price): Promise<string> {
  const owner = typeof price.product === "string" ? price.product : price.product.id;
  if (owner !== productId || price.metadata.managed_by !== "keyloan") {
    throw new ProviderError(
      "stripe",
      "conflict",
      "a price with this lookup key exists and was not made by Keyloan",
    );
  }
  if (!price.active) await call("price", () => stripe.prices.update(price.id, { active: true }));
  return price.id;
}

async function findPrice(
  stripe: Stripe,
  lookupKey: string,
  active = true,
): Promise<Stripe.Price | undefined> {
  const wanted = { lookup_keys: [lookupKey], active, limit: 1 };
  const { data } = await call("list", () => stripe.prices.list(wanted));
  return requireList(data).find((price) => price.lookup_key === lookupKey);
}

async function activePriceIds(stripe: Stripe, productId: string): Promise<string[]> {
  const ids: string[] = [];
  for (let page = 0; page < pagesMax; page++) {
    const last = ids.at(-1);
    const { data, has_more } = await call("list", () =>
      stripe.prices.list({
        product: productId,
        active: true,
        limit: 100,
        ...(last === undefined ? {} : { starting_after: last }),
      }),
    );
    ids.push(...requireList(data).map(({ id }) => id));
    if (!has_more || data.length === 0) return ids;
  }
  throw new ProviderError("stripe", "invalid_response", "the list of prices does not end");
}

async function retrieveProduct(stripe: Stripe, id: string): Promise<Stripe.Product | undefined> {
  const product = await unlessGone(call("product", () => stripe.products.retrieve(id)));
  // A deleted product is answered as { id, object, deleted }.
  return product === "gone" || "deleted" in product ? undefined : product;
}

/**
 * One create call. Stripe keeps even a 500 under an idempotency key for a day, so a replayed one is asked
 * again under a further key; that is safe because own ids and lookup keys admit one object only.
 * Gives `undefined` when the object is there already.
 */
async function create<T>(
  { idempotencyKey }: Settings,
  ask: (options: Stripe.RequestOptions) => Promise<T>,
  exists: (failure: ReturnType<typeof readFailure>) => boolean,
): Promise<T | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      const suffix = attempt === 0 ? "" : `-${attempt}`;
      return await ask(idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}${suffix}` });
    } catch (thrown) {
      const failure = readFailure(thrown);
      if (exists(failure)) return undefined;
      if (!failure.replayed || (failure.error.status ?? 0) < 500 || attempt >= 3) throw failure.error;
    }
  }
}

function requireList<T>(data: T[]): T[] {
  if (Array.isArray(data)) return data;
  throw new ProviderError("stripe", "invalid_response", "the answer has an unexpected shape");
}
