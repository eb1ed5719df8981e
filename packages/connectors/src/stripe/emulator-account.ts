import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";

const made = {
  id: z.string(),
  active: z.boolean(),
  metadata: z.record(z.string(), z.string()),
  created: z.number(),
};
const productSchema = z.object({ ...made, name: z.string() });
const priceSchema = z.object({
  ...made,
  product: z.string(),
  currency: z.string(),
  unit_amount: z.number(),
  lookup_key: z.string().nullable(),
  interval: z.string().nullable(),
});
export const accountSchema = z.object({
  account: z.string(),
  name: z.string(),
  livemode: z.boolean(),
  /** A restricted key that may do all that the connector needs. */
  restrictedKey: z.string(),
  /** One that may read, and not see webhook endpoints or checkout sessions. */
  limitedKey: z.string(),
  readOnlyKey: z.string(),
  /** One that may sell through checkout sessions, and do nothing else that it need not. */
  sellingKey: z.string(),
  /** A full one. */
  secretKey: z.string(),
  publishableKey: z.string(),
  products: z.array(productSchema),
  prices: z.array(priceSchema),
});

export type StripeState = z.output<typeof accountSchema>;
export type EmulatedProduct = z.output<typeof productSchema>;
export type EmulatedPrice = z.output<typeof priceSchema>;

/** A made-up account. Its keys have the long form that starts with `51` and the account's letters. */
export function createStripeState(mode: "test" | "live" = "test", name = "Keyloan stand-in"): StripeState {
  const account = randomText(14);
  const key = (kind: string) => `${kind}_${mode}_51${account}${randomText(83)}`;
  const keys = {
    restrictedKey: key("rk"),
    limitedKey: key("rk"),
    readOnlyKey: key("rk"),
    sellingKey: key("rk"),
  };
  const shown = { account: `acct_1${account}`, name, livemode: mode === "live", publishableKey: key("pk") };
  return { ...shown, ...keys, secretKey: key("sk"), products: [], prices: [] };
}

/** What a restricted key may do; a full one, all. Writing includes reading. */
export function mayDo(state: StripeState, key: string, resource: string, writes: boolean): boolean {
  if (key === state.secretKey) return true;
  if (resource === "rak_accounts_kyc_basic") return false;
  if (key === state.restrictedKey) return true;
  if (key === state.readOnlyKey) return !writes;
  if (key === state.sellingKey && resource === "rak_checkout_session") return true;
  return !writes && ["rak_balance", "rak_product", "rak_plan"].includes(resource);
}

export const resources: Readonly<Record<string, string>> = {
  account: "rak_accounts_kyc_basic",
  balance: "rak_balance",
  products: "rak_product",
  prices: "rak_plan",
  checkout: "rak_checkout_session",
  payment_intents: "rak_payment_intent",
  webhook_endpoints: "rak_webhook",
};

/** An active price of a product; what `POST /v1/prices` makes. */
export function addPrice(
  { prices }: StripeState,
  given: Pick<EmulatedPrice, "product" | "currency" | "unit_amount"> & Partial<EmulatedPrice>,
): EmulatedPrice {
  const price = {
    id: `price_1${randomText(23)}`,
    active: true,
    lookup_key: null,
    interval: null,
    metadata: {},
    created: 0,
    ...given,
  };
  prices.unshift(price);
  return price;
}

/** A price of the account's own product. */
export function sellSomething(state: StripeState): EmulatedPrice {
  const product = `prod_${randomText(14)}`;
  state.products.unshift({ id: product, name: "Plan", active: true, metadata: {}, created: 0 });
  return addPrice(state, { product, currency: "eur", unit_amount: 900 });
}

/** How Stripe shows a product of the account. */
export const productBody =
  ({ livemode }: StripeState) =>
  (product: EmulatedProduct) => ({
    ...product,
    object: "product",
    default_price: null,
    description: null,
    images: [],
    livemode,
    marketing_features: [],
    updated: product.created,
    url: null,
  });

/** How Stripe shows a price of the account. */
export const priceBody =
  ({ livemode }: StripeState) =>
  ({ interval, ...price }: EmulatedPrice) => ({
    ...price,
    object: "price",
    billing_scheme: "per_unit",
    livemode,
    nickname: null,
    recurring:
      interval === null ? null : { interval, interval_count: 1, meter: null, usage_type: "licensed" },
    tax_behavior: "unspecified",
    tiers_mode: null,
    type: interval === null ? "one_time" : "recurring",
    unit_amount_decimal: String(price.unit_amount),
  });
