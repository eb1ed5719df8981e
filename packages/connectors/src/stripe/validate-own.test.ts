import { secretValues } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFaultQueue } from "../kit/emulator.ts";
import { serveEmulator } from "../kit/emulator-app.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import { testContext } from "../kit/testing/index.ts";
import { stripeStandIn } from "./emulator.ts";
import {
  createStripeState,
  type EmulatedPrice,
  type StripeState,
  sellSomething,
} from "./emulator-account.ts";
import { createStripe } from "./index.ts";

const stripe = createStripe(async () => {});
const faults = createFaultQueue();
const stripeApp = (account: StripeState) =>
  createStandInApp(stripeStandIn, { list: () => [account], save: async () => {} }, faults, Date.now);
let state: StripeState;
let price: EmulatedPrice;
let server: Awaited<ReturnType<typeof serveEmulator>>;

beforeEach(async () => {
  faults.clear();
  state = createStripeState("live", "Acme GmbH");
  price = sellSomething(state);
  server = await serveEmulator(stripeApp(state), 0);
});
afterEach(() => server.close());

const key = (kind: string, mode: string, rest = "x".repeat(24)) => [kind, mode, rest].join("_");
const check = (changes: Record<string, string | undefined> = {}) => {
  const all: Record<string, string | undefined> = {
    STRIPE_SECRET_KEY: state.restrictedKey,
    STRIPE_PUBLISHABLE_KEY: state.publishableKey,
    ...changes,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return stripe.validate(testContext({ baseUrl: server.baseUrl }), secretValues(Object.fromEntries(given)));
};
const forbid = (path: RegExp, permission: string, method = "GET") => {
  const message = `The provided key does not have the required permissions for this endpoint on account '${state.account}'. Having the '${permission}' permission would allow this request to continue.`;
  const body = JSON.stringify({ error: { message, type: "invalid_request_error" } });
  faults.add({ kind: "status", status: 403, method, path, body });
};
const capability = (result: Awaited<ReturnType<typeof check>>, name: string) =>
  result.status === "valid" ? result.capabilities.find((each) => each.name === name) : undefined;

describe("a user's Stripe keys", () => {
  test("of the restricted kind are valid without a warning, and the account is named by the refusal", async () => {
    expect(await check()).toMatchObject({
      status: "valid",
      mode: "live",
      account: state.account,
      warnings: [],
    });
  });

  test("are asked what they may write, and nothing is made", async () => {
    const before = structuredClone(state);
    const result = await check();
    expect(capability(result, "Can create checkout sessions")?.state).toBe("works");
    expect(capability(result, "Can create payment intents")?.state).toBe("works");
    expect(state).toEqual(before);
  });

  test.each([
    ["balance", /balance$/, "rak_balance_read", "GET", "Can read the balance"],
    ["products", /products$/, "rak_product_read", "GET", "Can read products"],
    ["prices", /prices$/, "rak_plan_read", "GET", "Can read prices"],
    ["webhooks", /webhook_endpoints$/, "rak_webhook_read", "GET", "Can read webhook endpoints"],
    ["sessions", /sessions$/, "rak_checkout_session_write", "POST", "Can create checkout sessions"],
    ["intents", /payment_intents$/, "rak_payment_intent_write", "POST", "Can create payment intents"],
  ])(
    "that lack %s are genuine, and told what to allow where",
    async (_name, path, permission, method, name) => {
      forbid(path, permission, method);
      const result = await check();
      expect(result).toMatchObject({ status: "valid", account: state.account });
      expect(capability(result, name)).toEqual({
        name,
        state: "missing",
        remedy: expect.stringContaining(permission),
        helpUrl: "https://dashboard.stripe.com/apikeys",
      });
    },
  );

  test("that can start a payment in no way are refused", async () => {
    forbid(/sessions$/, "rak_checkout_session_write", "POST");
    forbid(/payment_intents$/, "rak_payment_intent_write", "POST");
    expect(await check()).toMatchObject({
      status: "invalid",
      envVar: "STRIPE_SECRET_KEY",
      code: "lacks_permission",
      remedy: expect.stringContaining("Checkout Sessions: write"),
    });
  });

  test.each([
    ["takes what cannot be", 200, '{"object":"checkout.session","id":"cs_1"}'],
    ["refuses it in words that are not Stripe's", 400, '{"message":"no"}'],
    ["refuses it as another kind of failure", 400, '{"error":{"type":"api_error","message":"x"}}'],
    ["does not know the question", 404, '{"error":{"type":"invalid_request_error","message":"x"}}'],
  ])("are left open when the server %s", async (_name, status, body) => {
    faults.add({ kind: "status", status, method: "POST", path: /sessions$/, body });
    expect(await check()).toMatchObject({ status: "undetermined", code: "provider_down" });
  });

  test.each([
    [
      "its display name",
      { id: "acct_1Abc", settings: { dashboard: { display_name: "Shop" } } },
      "Shop (acct_1Abc)",
    ],
    ["its business's name", { id: "acct_1Abc", business_profile: { name: "Biz" } }, "Biz (acct_1Abc)"],
    ["its id when it has no name", { id: "acct_1Abc", business_profile: { name: null } }, "acct_1Abc"],
    ["its id when the name is odd", { id: "acct_1Abc", settings: { dashboard: 7 } }, "acct_1Abc"],
  ])("tell the account by %s", async (_name, account, expected) => {
    const body = JSON.stringify({ object: "account", ...account });
    faults.add({ kind: "status", status: 200, path: /account$/, body });
    expect(await check()).toMatchObject({ status: "valid", account: expected });
  });

  test("are valid when the account cannot be told, whatever goes wrong there", async () => {
    faults.add({ kind: "status", status: 500, path: /account$/ });
    const result = await check();
    expect(result).toMatchObject({ status: "valid" });
    expect(result).not.toHaveProperty("account");
  });

  test("of an account that may not take payments yet are valid, and told so", async () => {
    const body = JSON.stringify({ object: "account", id: "acct_1Abc", charges_enabled: false });
    faults.add({ kind: "status", status: 200, path: /account$/, body });
    expect(await check()).toMatchObject({ warnings: [expect.stringContaining("does not let")] });
  });

  test("that do not show their account are not called a pair", async () => {
    const result = await check({ STRIPE_PUBLISHABLE_KEY: key("pk", "live") });
    expect(capability(result, "Both keys belong to the same account")).toMatchObject({
      state: "not_checked",
    });
    expect(capability(await check(), "Both keys belong to the same account")).toMatchObject({
      state: "works",
    });
  });

  test("with a webhook secret say that Stripe cannot be asked about it", async () => {
    const result = await check({ STRIPE_WEBHOOK_SECRET: "whsec_abcdefgh12345678" });
    expect(capability(result, "The webhook signing secret is correct")).toMatchObject({
      state: "not_checked",
      remedy: expect.stringContaining("test event"),
    });
  });

  test.each([
    ["a key that is rolled", { STRIPE_SECRET_KEY: key("sk", "live") }, "STRIPE_SECRET_KEY", "rejected"],
    ["two modes", { STRIPE_PUBLISHABLE_KEY: key("pk", "test") }, "STRIPE_PUBLISHABLE_KEY", "wrong_pair"],
    ["no secret key", { STRIPE_SECRET_KEY: undefined }, "STRIPE_SECRET_KEY", "malformed"],
    ["an ill-formed price", { STRIPE_PRICE_ID: "../balance" }, "STRIPE_PRICE_ID", "malformed"],
    ["a price of nobody", { STRIPE_PRICE_ID: "price_none" }, "STRIPE_PRICE_ID", "rejected"],
  ])("with %s name the variable to fix", async (_name, changes, envVar, code) => {
    expect(await check(changes)).toMatchObject({ status: "invalid", envVar, code });
  });

  test("never have their STRIPE_API_URL asked", async () => {
    expect(await check({ STRIPE_API_URL: "http://127.0.0.1:1" })).toMatchObject({ status: "valid" });
  });
});

describe("a user's price", () => {
  test("of a family is looked at like the one, and named when it cannot be sold", async () => {
    const good = await check({ STRIPE_PRICE_ID_PRO: price.id });
    expect(capability(good, "The price of STRIPE_PRICE_ID_PRO can be sold")).toMatchObject({
      state: "works",
    });
    expect(await check({ STRIPE_PRICE_ID_PRO: "price_none" })).toMatchObject({
      status: "invalid",
      envVar: "STRIPE_PRICE_ID_PRO",
      code: "rejected",
    });
  });

  test("that is active and of the same mode can be sold", async () => {
    const result = await check({ STRIPE_PRICE_ID: price.id });
    expect(capability(result, "The price can be sold")).toEqual({
      name: "The price can be sold",
      state: "works",
    });
  });

  test("that is archived is refused", async () => {
    price.active = false;
    expect(await check({ STRIPE_PRICE_ID: price.id })).toMatchObject({
      status: "invalid",
      envVar: "STRIPE_PRICE_ID",
      code: "rejected",
      message: "The price is archived.",
    });
  });

  test("of the other mode is refused", async () => {
    const body = JSON.stringify({ object: "price", id: price.id, active: true, livemode: false });
    faults.add({ kind: "status", status: 200, path: /prices\/price_/, body });
    expect(await check({ STRIPE_PRICE_ID: price.id })).toMatchObject({
      status: "invalid",
      envVar: "STRIPE_PRICE_ID",
      code: "wrong_mode",
    });
  });

  test("that the key may not read is left open", async () => {
    forbid(/prices\/price_/, "rak_plan_read");
    const result = await check({ STRIPE_PRICE_ID: price.id });
    expect(capability(result, "The price can be sold")).toMatchObject({ state: "not_checked" });
  });

  test("that is answered without saying whether it is active is neither", async () => {
    const body = JSON.stringify({ object: "price", id: price.id });
    faults.add({ kind: "status", status: 200, path: /prices\/price_/, body });
    expect(await check({ STRIPE_PRICE_ID: price.id })).toMatchObject({ status: "undetermined" });
  });
});

describe("the stand-in's payments", () => {
  const post = (path: string, body: Record<string, string>) =>
    fetch(`${server.baseUrl}/v1/${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${state.secretKey}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams(body),
    });

  test("sell a price that exists", async () => {
    const response = await post("checkout/sessions", {
      mode: "payment",
      "line_items[0][price]": price.id,
      "line_items[0][quantity]": "1",
      success_url: "https://example.com",
    });
    expect(await response.json()).toMatchObject({
      object: "checkout.session",
      livemode: true,
      status: "open",
    });
  });

  test.each<[string, string, Record<string, string>]>([
    ["a price of nobody", "checkout/sessions", { mode: "payment", "line_items[0][price]": "price_none" }],
    ["an unknown mode", "checkout/sessions", { mode: "gift" }],
    ["nothing to sell", "checkout/sessions", { mode: "payment" }],
    ["no page to return to", "checkout/sessions", { mode: "setup" }],
    ["a negative amount", "payment_intents", { amount: "-1", currency: "usd" }],
    ["no currency", "payment_intents", { amount: "100" }],
  ])("refuse %s", async (_name, path, body) => {
    const response = await post(path, body);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { type: "invalid_request_error" } },
    ]);
  });

  test("begin an intent", async () => {
    const response = await post("payment_intents", { amount: "100", currency: "eur" });
    expect(await response.json()).toMatchObject({ object: "payment_intent", amount: 100 });
  });
});
