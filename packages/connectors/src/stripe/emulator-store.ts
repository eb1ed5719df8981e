import * as z from "zod";
import { randomText } from "../kit/emulator-state.ts";

const recordSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

const productSchema = z.object({
  id: z.string(),
  name: z.string(),
  active: z.boolean(),
  metadata: metadataSchema,
  created: z.number(),
});

const priceSchema = z.object({
  id: z.string(),
  product: z.string(),
  active: z.boolean(),
  currency: z.string(),
  unit_amount: z.number(),
  lookup_key: z.string().nullable(),
  interval: z.string().nullable(),
  metadata: metadataSchema,
  created: z.number(),
});

/** What the stand-in remembers of an account: its keys, and what was made. */
export const stripeStateSchema = z.object({
  account: z.string(),
  name: z.string().default("Keyloan stand-in"),
  livemode: z.boolean().default(false),
  /** A restricted key that may do all that the connector needs. */
  restrictedKey: z.string(),
  /** A restricted key that may read, and not see webhook endpoints or checkout sessions. */
  limitedKey: z.string(),
  /** A restricted key that may read everything. */
  readOnlyKey: z.string().default(""),
  /** A restricted key that may sell through checkout sessions, and do nothing else that it need not. */
  sellingKey: z.string().default(""),
  /** A full secret key. */
  secretKey: z.string(),
  publishableKey: z.string(),
  products: z.array(productSchema),
  prices: z.array(priceSchema),
});

export type StripeState = z.output<typeof stripeStateSchema>;
export type EmulatedProduct = z.output<typeof productSchema>;
export type EmulatedPrice = z.output<typeof priceSchema>;

/** A made-up account. Its keys have the long form that starts with `51` and the account's letters. */
export function createStripeState(mode: "test" | "live" = "test", name = "Keyloan stand-in"): StripeState {
  const account = randomText(14);
  const key = (kind: string) => `${kind}_${mode}_51${account}${randomText(83)}`;
  return {
    account: `acct_1${account}`,
    name,
    livemode: mode === "live",
    restrictedKey: key("rk"),
    limitedKey: key("rk"),
    readOnlyKey: key("rk"),
    sellingKey: key("rk"),
    secretKey: key("sk"),
    publishableKey: key("pk"),
    products: [],
    prices: [],
  };
}

/** A product as the API answers it. */
export function productBody(product: EmulatedProduct, livemode: boolean): z.output<typeof recordSchema> {
  return {
    ...product,
    object: "product",
    default_price: null,
    description: null,
    images: [],
    livemode,
    type: "service",
    updated: product.created,
    url: null,
  };
}

/** A price as the API answers it. */
export function priceBody(
  { interval, ...price }: EmulatedPrice,
  livemode: boolean,
): z.output<typeof recordSchema> {
  const recurring = {
    interval,
    interval_count: 1,
    meter: null,
    trial_period_days: null,
    usage_type: "licensed",
  };
  return {
    ...price,
    object: "price",
    billing_scheme: "per_unit",
    livemode,
    nickname: null,
    recurring: interval === null ? null : recurring,
    tax_behavior: "unspecified",
    tiers_mode: null,
    type: interval === null ? "one_time" : "recurring",
    unit_amount_decimal: String(price.unit_amount),
  };
}
