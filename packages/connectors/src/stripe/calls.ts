import * as z from "zod";
import { callsThrough } from "../kit/calls/define-calls.ts";

// Bodies are forms, whose values are all texts; a message is Stripe's own code of what is wrong.
const metadata = z.record(z.string(), z.string()).default({});
const currency = z.string().regex(/^[a-z]{3}$/, "currency");
const integer = (form: RegExp) =>
  z.string("parameter_invalid_integer").regex(form, "parameter_invalid_integer");
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const change = z.strictObject({ active: flag.optional(), metadata });
const page = {
  limit: integer(/^(?:[1-9]\d?|100)$/)
    .transform(Number)
    .default(10),
  starting_after: z.string().optional(),
  active: flag.optional(),
};
const kind = <const T extends string>(object: T) => z.looseObject({ object: z.literal(object) });
const list = kind("list").extend({ data: z.array(z.unknown()), has_more: z.boolean() });

const { get, post } = callsThrough();
/** What is called at Stripe, all of it through the `stripe` package (Stripe API reference). */
export const stripeCalls = {
  readAccount: get("/v1/account", { doc: "Retrieve account", answer: kind("account") }),
  readBalance: get("/v1/balance", { doc: "Retrieve balance", answer: kind("balance") }),
  listProducts: get("/v1/products", { doc: "List all products", query: z.object(page), answer: list }),
  createProduct: post("/v1/products", {
    doc: "Create a product",
    body: z.strictObject({
      id: z.string().optional(),
      name: z.string().min(1, "parameter_missing"),
      description: z.string().optional(),
      active: flag.default(true),
      metadata,
    }),
    answer: kind("product"),
  }),
  readProduct: get("/v1/products/{id}", { doc: "Retrieve a product", answer: kind("product") }),
  changeProduct: post("/v1/products/{id}", {
    doc: "Update a product",
    body: change,
    answer: kind("product"),
  }),
  listPrices: get("/v1/prices", {
    doc: "List all prices",
    query: z.object({
      ...page,
      product: z.string().optional(),
      lookup_keys: z.record(z.string(), z.string()).optional(),
    }),
    answer: list,
  }),
  createPrice: post("/v1/prices", {
    doc: "Create a price",
    body: z.strictObject({
      currency,
      product: z.string(),
      unit_amount: integer(/^\d{1,8}$/).transform(Number),
      lookup_key: z.string().nullable().default(null),
      recurring: z.object({ interval: z.string() }).optional(),
      metadata,
      nickname: z.string().optional(),
    }),
    answer: kind("price"),
  }),
  readPrice: get("/v1/prices/{id}", { doc: "Retrieve a price", answer: kind("price") }),
  changePrice: post("/v1/prices/{id}", { doc: "Update a price", body: change, answer: kind("price") }),
  listWebhooks: get("/v1/webhook_endpoints", {
    doc: "List all webhook endpoints",
    query: z.object(page),
    answer: list,
  }),
  listSessions: get("/v1/checkout/sessions", {
    doc: "List all Checkout Sessions",
    query: z.object(page),
    answer: list,
  }),
  createSession: post("/v1/checkout/sessions", {
    doc: "Create a Checkout Session",
    body: z.looseObject({
      mode: z.enum(["payment", "subscription", "setup"], "mode"),
      success_url: z.string(),
      line_items: z.record(z.string(), z.string()).default({}),
    }),
    answer: kind("checkout.session"),
  }),
  createIntent: post("/v1/payment_intents", {
    doc: "Create a PaymentIntent",
    body: z.looseObject({ amount: integer(/^[1-9]\d{0,7}$/).transform(Number), currency }),
    answer: kind("payment_intent"),
  }),
};
