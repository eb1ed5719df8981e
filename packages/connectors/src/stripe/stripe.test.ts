import { type PlannedLease, secretValues } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createFaultQueue, type Fault } from "../kit/emulator.ts";
import { serveEmulator } from "../kit/emulator-app.ts";
import { createStandInApp } from "../kit/stand-in/start-stand-in.ts";
import { everythingOf, orgCredential, planLease, testConnector, testContext } from "../kit/testing/index.ts";
import { stripeCalls } from "./calls.ts";
import { startEmulator, stripeStandIn } from "./emulator.ts";
import { createStripeState, type StripeState } from "./emulator-account.ts";
import { createStripe } from "./index.ts";
import { stripeOptionsSchema } from "./options.ts";

const stripe = createStripe(async () => {});
const options = {
  prices: [
    { name: "pro", currency: "USD", unitAmount: 1500, interval: "month" },
    { name: "once", currency: "eur", unitAmount: 0 },
  ],
};

const works = (name: string) => ({ name, state: "works" });

testConnector({
  connector: stripe,
  startEmulator,
  calls: stripeCalls,
  options,
  userKinds: {
    "read-only": { status: "invalid", envVar: "STRIPE_SECRET_KEY", code: "lacks_permission" },
    limited: {
      status: "valid",
      account: expect.stringMatching(/^acct_/),
      capabilities: expect.arrayContaining([
        works("Can read prices"),
        works("Can create checkout sessions"),
        {
          name: "Can create payment intents",
          state: "missing",
          remedy: expect.stringContaining("Payment Intents: write (rak_payment_intent_write)"),
          helpUrl: expect.stringMatching(/^https:/),
        },
      ]),
      warnings: [],
    },
    wide: {
      status: "valid",
      account: expect.stringMatching(/^Acme GmbH \(acct_/),
      warnings: [expect.stringContaining("restricted key")],
    },
    "wrong-pair": { status: "invalid", envVar: "STRIPE_PUBLISHABLE_KEY", code: "wrong_pair" },
  },
});

const faults = createFaultQueue();
const stripeApp = (account: StripeState) =>
  createStandInApp(stripeStandIn, { list: () => [account], save: async () => {} }, faults, Date.now);
let state: StripeState;
let server: Awaited<ReturnType<typeof serveEmulator>>;

beforeEach(async () => {
  faults.clear();
  state = createStripeState();
  server = await serveEmulator(stripeApp(state), 0);
});
afterEach(() => server.close());

const context = () => testContext({ baseUrl: server.baseUrl });
const fields = (changes: Record<string, string> = {}) =>
  secretValues({ secretKey: state.restrictedKey, publishableKey: state.publishableKey, ...changes });
const check = async (changes: Record<string, string> = {}) =>
  stripe.validateOrgKey?.(context(), fields(changes));
const organization = () => orgCredential(stripe, context(), fields());
const lease = (asked: unknown = options) => planLease(stripe, asked);
const issue = async (planned: PlannedLease) => {
  const values = await stripe.issuer?.issue(context(), await organization(), planned);
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, value.reveal()]));
};
const revoke = async (planned: PlannedLease) =>
  stripe.issuer?.revoke(context(), await organization(), planned);
const key = (kind: string, mode: string, rest = "x".repeat(24)) => [kind, mode, rest].join("_");
const pricesOf = (productId: string | undefined) =>
  state.prices.filter(({ product }) => product === productId);

describe("an org key", () => {
  test("of the restricted kind is valid without a warning, with what it may do", async () => {
    expect(await check()).toEqual({
      status: "valid",
      mode: "test",
      capabilities: ["the balance", "products", "prices", "checkout sessions", "webhook endpoints"].map(
        (name) => ({
          name: `Can read ${name}`,
          state: "works",
        }),
      ),
      warnings: [],
    });
  });

  test("of the full kind is valid with a warning", async () => {
    expect(await check({ secretKey: state.secretKey })).toMatchObject({
      status: "valid",
      warnings: [expect.stringContaining("restricted key")],
    });
  });

  test("that lacks permissions is genuine: each is named with its remedy and link", async () => {
    expect(await check({ secretKey: state.limitedKey })).toMatchObject({
      status: "valid",
      account: state.account,
      capabilities: [
        { name: "Can read the balance", state: "works" },
        { name: "Can read products", state: "works" },
        { name: "Can read prices", state: "works" },
        {
          name: "Can read checkout sessions",
          state: "missing",
          remedy: expect.stringContaining("rak_checkout_session_read"),
          helpUrl: expect.stringMatching(/^https:/),
        },
        {
          name: "Can read webhook endpoints",
          state: "missing",
          remedy: expect.stringContaining("rak_webhook_read"),
        },
      ],
    });
  });

  test("that cannot read products cannot be lent", async () => {
    const message = "Having the 'rak_product_read' permission would allow this request to continue.";
    const body = JSON.stringify({ error: { message, type: "invalid_request_error" } });
    faults.add({ kind: "status", status: 403, path: /products/, body });
    expect(await check()).toMatchObject({
      status: "invalid",
      code: "lacks_permission",
      envVar: "secretKey",
      remedy: expect.stringContaining("rak_product_read"),
    });
  });

  test.each([
    ["a live secret key", { secretKey: key("sk", "live") }, "secretKey"],
    ["a live restricted key", { secretKey: key("rk", "live") }, "secretKey"],
    ["a live publishable key", { publishableKey: key("pk", "live") }, "publishableKey"],
  ])("refuses %s without a call", async (_name, changes, envVar) => {
    faults.add({ kind: "status", status: 500 });
    expect(await check(changes)).toMatchObject({ status: "invalid", code: "wrong_mode", envVar });
    expect(faults.size()).toBe(1);
  });

  test("of one account with a publishable key of another is a wrong pair", async () => {
    expect(await check({ publishableKey: createStripeState().publishableKey })).toMatchObject({
      status: "invalid",
      code: "wrong_pair",
      envVar: "publishableKey",
    });
  });

  test("of the older, short form tells no account and is not called a wrong pair", async () => {
    expect(await check({ publishableKey: key("pk", "test") })).toMatchObject({ status: "valid" });
  });

  test.each<[string, number, string]>([
    ["404 without an error", 404, '{"message":"no"}'],
    ["500 without an error", 500, "{}"],
    ["400 without an error", 400, "[]"],
    ["200 with a text", 200, '"text"'],
    ["200 with a number", 200, "7"],
    ["200 with null", 200, "null"],
    ["200 with an error", 200, '{"error":{"message":"odd"}}'],
    ["200 with another object", 200, '{"object":"account","livemode":false}'],
    ["200 with a list of another kind", 200, '{"object":"list","data":{}}'],
    ["an error that is no object", 401, '{"error":"invalid_grant"}'],
  ])("is never valid when the balance answers %s", async (_name, status, body) => {
    faults.add({ kind: "status", status, path: /balance/, body });
    expect((await check())?.status).not.toBe("valid");
  });

  test("of another mode than the account says is refused", async () => {
    const body = '{"object":"balance","livemode":true}';
    faults.add({ kind: "status", status: 200, path: /balance/, body });
    expect(await check()).toMatchObject({ status: "invalid", code: "wrong_mode" });
  });

  test("never has a provider's notice printed", async () => {
    const warn = vi.spyOn(process, "emitWarning");
    const headers = { "stripe-notice": "marked notice" };
    faults.add({ kind: "status", status: 429, headers }, 5);
    await check();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

describe("the demo price", () => {
  test("is made once, however often and at once the key is put", async () => {
    const facts = await Promise.all(Array.from({ length: 5 }, async () => (await organization()).facts));
    expect(new Set(facts.map((found) => JSON.stringify(found))).size).toBe(1);
    expect(facts[0]).toEqual({ productId: "keyloan_demo", priceId: state.prices[0]?.id });
    expect([state.products.length, state.prices.length]).toEqual([1, 1]);
    expect(state.prices[0]?.lookup_key).toBe("keyloan_demo_price");
  });

  test("is used again after someone archived it", async () => {
    const { facts } = await organization();
    for (const item of [...state.products, ...state.prices]) item.active = false;
    expect((await organization()).facts).toEqual(facts);
    expect([...state.products, ...state.prices].map(({ active }) => active)).toEqual([true, true]);
  });

  test("is not taken from a product that Keyloan did not make", async () => {
    const foreign = { id: "keyloan_demo", name: "Mine", active: true, metadata: {}, created: 0 };
    state.products.push(foreign);
    await expect(organization()).rejects.toMatchObject({ code: "conflict", retryable: false });
    expect(state.prices).toEqual([]);
  });

  test("tells which permission is missing to make it", async () => {
    const limited = fields({ secretKey: state.limitedKey });
    await expect(orgCredential(stripe, context(), limited)).rejects.toMatchObject({
      code: "forbidden",
      status: 403,
      remedy: expect.stringContaining("rak_product_write"),
    });
  });
});

describe("a lease without listed prices", () => {
  test("gives the demo price and asks Stripe nothing, nor does its end", async () => {
    const org = await organization();
    const planned = lease({});
    faults.add({ kind: "status", status: 500 });
    const values = await stripe.issuer?.issue(context(), org, planned);
    await stripe.issuer?.revoke(context(), org, planned);
    expect(values?.STRIPE_PRICE_ID?.reveal()).toBe(org.facts.priceId);
    expect(planned.handle).toEqual({});
    expect(faults.size()).toBe(1);
  });

  test("says what to do when the key was put without a demo price", async () => {
    const org = { version: 1, fields: fields(), facts: {} };
    await expect(stripe.issuer?.issue(context(), org, lease({}))).rejects.toMatchObject({
      code: "not_found",
      remedy: expect.stringContaining("org-keys set stripe"),
    });
  });
});

describe("a lease with listed prices", () => {
  test("makes one product and the prices, marked with the build", async () => {
    const planned = lease();
    const values = await issue(planned);
    const made = pricesOf(planned.handle.productId);
    const idOf = (name: string) => made.find(({ lookup_key }) => lookup_key?.endsWith(`_${name}`))?.id;
    expect(values).toMatchObject({
      STRIPE_SECRET_KEY: state.restrictedKey,
      STRIPE_PUBLISHABLE_KEY: state.publishableKey,
      STRIPE_PRICE_ID: idOf("pro"),
      STRIPE_PRICE_ID_PRO: idOf("pro"),
      STRIPE_PRICE_ID_ONCE: idOf("once"),
      STRIPE_API_URL: server.baseUrl,
    });
    expect(made.map(({ metadata }) => metadata.build_id)).toEqual([planned.buildId, planned.buildId]);
    expect(made.map(({ currency, unit_amount, interval }) => [currency, unit_amount, interval])).toEqual([
      ["eur", 0, null],
      ["usd", 1500, "month"],
    ]);
  });

  test.each<[string, Fault]>([
    ["the product's answer is lost", { kind: "cut_after", method: "POST", path: /products$/ }],
    [
      "the product is answered 404 after it was made",
      { kind: "status_after", status: 404, method: "POST", path: /products$/ },
    ],
    [
      "the product is answered 500 after it was made",
      { kind: "status_after", status: 500, method: "POST", path: /products$/ },
    ],
    ["a price's answer is lost", { kind: "cut_after", method: "POST", path: /prices$/ }],
    [
      "a price is answered 404 after it was made",
      { kind: "status_after", status: 404, method: "POST", path: /prices$/ },
    ],
    ["the look-up fails", { kind: "status", status: 503, method: "GET", path: /prices$/ }],
  ])("is made once when %s and it is issued again", async (_name, fault) => {
    const planned = lease();
    const org = await organization();
    faults.add(fault);
    await expect(stripe.issuer?.issue(context(), org, planned)).rejects.toBeInstanceOf(Error);
    const first = await issue(planned);
    expect(await issue(planned)).toEqual(first);
    expect(state.products.filter(({ id }) => id === planned.handle.productId)).toHaveLength(1);
    expect(pricesOf(planned.handle.productId)).toHaveLength(2);
  });

  test("is made once when it is issued by two at once", async () => {
    const planned = lease();
    const [first, second] = await Promise.all([issue(planned), issue(planned)]);
    expect(first).toEqual(second);
    expect(pricesOf(planned.handle.productId)).toHaveLength(2);
  });

  test("is found again when Stripe has forgotten the idempotency keys", async () => {
    const planned = lease();
    const first = await issue(planned);
    await server.close();
    server = await serveEmulator(stripeApp(state), 0);
    expect(await issue(planned)).toEqual({ ...first, STRIPE_API_URL: server.baseUrl });
  });

  test("gets past a 500 that Stripe keeps under the idempotency key", async () => {
    const org = await organization();
    const headers = { "idempotent-replayed": "true" };
    faults.add({ kind: "status", status: 500, method: "POST", headers });
    await expect(stripe.issuer?.issue(context(), org, lease())).resolves.toBeDefined();
  });

  test("does not take over a product of its id that Keyloan did not make", async () => {
    const planned = lease();
    const id = planned.handle.productId ?? "";
    state.products.push({ id, name: "Mine", active: true, metadata: {}, created: 0 });
    await expect(issue(planned)).rejects.toMatchObject({ code: "conflict" });
  });

  test("waits for the limiter before every call, of its end too", async () => {
    const limiter = vi.fn(async () => {});
    const asked = vi.fn<typeof fetch>((input, init) => fetch(input, init));
    const limited = createStripe(limiter).issuer;
    const planned = lease();
    const org = await organization();
    await limited?.issue({ ...context(), fetch: asked }, org, planned);
    expect(asked).toHaveBeenCalledTimes(5);
    await limited?.revoke({ ...context(), fetch: asked }, org, planned);
    expect(limiter.mock.calls.length).toBe(asked.mock.calls.length);
  });

  test("sends creates under idempotency keys made of the lease", async () => {
    const keys: (string | null)[] = [];
    const asked: typeof fetch = (input, init) => {
      if (init?.method === "POST") keys.push(new Headers(init.headers).get("idempotency-key"));
      return fetch(input, init);
    };
    const planned = lease();
    const org = await organization();
    await stripe.issuer?.issue({ ...context(), fetch: asked }, org, planned);
    const name = `keyloan-${planned.leaseId}`;
    expect(keys).toEqual([`${name}-product`, `${name}-price-PRO`, `${name}-price-ONCE`]);
  });

  test("tells Stripe's request id when a call fails, and no word of Stripe's", async () => {
    const org = await organization();
    faults.add({ kind: "status", status: 400, method: "POST", headers: { "request-id": "req_abc123" } });
    const error: unknown = await stripe.issuer?.issue(context(), org, lease()).catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 400, requestId: "req_abc123", code: "rejected" });
    expect(everythingOf(error)).not.toContain("unknown error");
  });
});

describe("the end of a lease", () => {
  test("archives the build's own product and prices and nothing else", async () => {
    const [ended, other] = [lease(), lease()];
    await issue(ended);
    await issue(other);
    await revoke(ended);
    const active = [...state.products, ...state.prices].filter((item) => item.active).map(({ id }) => id);
    const kept = [...state.products, ...state.prices].filter(
      (item) =>
        item.id !== ended.handle.productId &&
        !pricesOf(ended.handle.productId).some(({ id }) => id === item.id),
    );
    expect(active).toEqual(kept.map(({ id }) => id));
    expect(pricesOf(ended.handle.productId)).toHaveLength(2);
  });

  test("finds prices beyond the first page", async () => {
    const planned = lease();
    await issue(planned);
    const [sample] = pricesOf(planned.handle.productId);
    state.prices.push(
      ...Array.from({ length: 130 }, (_, index) => ({
        ...(sample ?? ({} as never)),
        id: `price_extra${index}`,
        lookup_key: null,
      })),
    );
    await revoke(planned);
    expect(pricesOf(planned.handle.productId).filter(({ active }) => active)).toEqual([]);
  });

  test.each([
    ["prices", /prices\//, '{"object":"price","id":"price_1"}'],
    ["the product", /products\//, '{"object":"product","id":"keyloan_1"}'],
  ])("is not reported while %s can still be bought, whatever was answered", async (_name, path, body) => {
    const planned = lease();
    await issue(planned);
    const org = await organization();
    faults.add({ kind: "status", status: 200, method: "POST", path, body }, 2);
    await expect(stripe.issuer?.revoke(context(), org, planned)).rejects.toMatchObject({ retryable: true });
  });

  test("leaves a product alone that Keyloan did not make", async () => {
    const planned = lease();
    const id = planned.handle.productId ?? "";
    state.products.push({ id, name: "Mine", active: true, metadata: {}, created: 0 });
    await expect(revoke(planned)).rejects.toMatchObject({ code: "conflict" });
    expect(state.products.find((product) => product.id === id)?.active).toBe(true);
  });
});

describe("the options", () => {
  const price = { name: "pro", currency: "usd", unitAmount: 1 };
  test.each([
    ["an unknown option", { price: [] }],
    ["an unknown part of a price", { prices: [{ ...price, tax: 1 }] }],
    ["a name with a dash", { prices: [{ ...price, name: "a-b" }] }],
    ["a name that starts with a digit", { prices: [{ ...price, name: "1a" }] }],
    ["an empty name", { prices: [{ ...price, name: "" }] }],
    ["a name of 41 letters", { prices: [{ ...price, name: "a".repeat(41) }] }],
    ["the same name twice", { prices: [price, { ...price, name: "PRO" }] }],
    ["a negative amount", { prices: [{ ...price, unitAmount: -1 }] }],
    ["half an amount", { prices: [{ ...price, unitAmount: 0.5 }] }],
    ["an endless amount", { prices: [{ ...price, unitAmount: 1e9 }] }],
    ["a currency of four letters", { prices: [{ ...price, currency: "usdt" }] }],
    ["an unknown interval", { prices: [{ ...price, interval: "hour" }] }],
    ["21 prices", { prices: Array.from({ length: 21 }, (_, index) => ({ ...price, name: `p${index}` })) }],
  ])("refuse %s", (_name, asked) => {
    expect(stripeOptionsSchema.safeParse(asked).success).toBe(false);
  });

  test("are the same when they are read back and parsed again", () => {
    const parsed = stripeOptionsSchema.parse(options);
    expect(stripeOptionsSchema.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
    expect(parsed.prices.map(({ name, currency }) => [name, currency])).toEqual([
      ["PRO", "usd"],
      ["ONCE", "eur"],
    ]);
  });

  test("may be absent", () => {
    expect([stripeOptionsSchema.parse(undefined), stripeOptionsSchema.parse({})]).toEqual([
      { prices: [] },
      { prices: [] },
    ]);
  });
});

describe("the stand-in", () => {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${server.baseUrl}${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${state.secretKey}`,
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      },
      body,
    });

  test("refuses a wrong key as Stripe does, with a request id", async () => {
    const headers = { authorization: `Bearer ${key("sk", "test")}` };
    const response = await fetch(`${server.baseUrl}/v1/balance`, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });

  test("replays the answer of an idempotency key and refuses other parameters under it", async () => {
    const headers = { "idempotency-key": "once" };
    const first = await (await post("/v1/products", "name=a", headers)).json();
    const again = await post("/v1/products", "name=a", headers);
    expect([await again.json(), again.headers.get("idempotent-replayed")]).toEqual([first, "true"]);
    const other = await post("/v1/products", "name=b", headers);
    expect([other.status, await other.json()]).toMatchObject([400, { error: { type: "idempotency_error" } }]);
    expect(state.products).toHaveLength(1);
  });

  test.each([
    ["an own id twice", "/v1/products", "id=mine&name=b", "resource_already_exists"],
    ["a product without a name", "/v1/products", "id=x", "parameter_missing"],
    ["an unknown parameter", "/v1/products", "name=b&colour=red", "parameter_unknown"],
    ["a price of no product", "/v1/prices", "currency=usd&unit_amount=1&product=none", "resource_missing"],
  ])("refuses %s", async (_name, path, body, code) => {
    await post("/v1/products", "id=mine&name=a");
    const response = await post(path, body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code } }]);
  });

  test("deletes no price", async () => {
    const headers = { authorization: `Bearer ${state.secretKey}` };
    const response = await fetch(`${server.baseUrl}/v1/prices/price_1`, { method: "DELETE", headers });
    expect(response.status).toBe(404);
  });
});
