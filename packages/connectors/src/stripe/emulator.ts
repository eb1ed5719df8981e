import { randomText } from "../kit/emulator-state.ts";
import { pageOf, Refused, type StandIn, type StandInRequest } from "../kit/stand-in/stand-in.ts";
import { startStandIn } from "../kit/stand-in/start-stand-in.ts";
import { stripeCalls } from "./calls.ts";
import {
  accountSchema,
  addPrice,
  createStripeState,
  mayDo,
  priceBody,
  productBody,
  resources,
  type StripeState,
  sellSomething,
} from "./emulator-account.ts";

/** A key as Stripe's messages show it. */
const mask = (key: string) => `${key.slice(0, 8)}${"*".repeat(Math.max(key.length - 12, 0))}${key.slice(-4)}`;
const missing = (kind: string, id: string, status = 404) =>
  new Refused(status, {
    code: "resource_missing",
    message: `No such ${kind}: '${id}'`,
    param: status === 404 ? "id" : kind,
  });

type Query = {
  readonly limit: number;
  readonly starting_after?: string | undefined;
  readonly active?: boolean | undefined;
};

/** A page goes on after any object, also one that the filters leave out by now. */
function listOf<T extends { readonly id: string; readonly active: boolean }>(
  items: readonly T[],
  {
    url: { pathname },
    query: { limit, starting_after, active },
  }: { readonly url: URL; readonly query: Query },
  render: (item: T) => unknown,
  keeps: (item: T) => boolean = () => true,
) {
  const start = items.findIndex(({ id }) => id === starting_after) + 1;
  const kept = items.slice(start).filter((item) => (active ?? item.active) === item.active && keeps(item));
  const { data, has_more } = pageOf(kept, limit, undefined);
  return { object: "list", url: pathname, has_more, data: data.map(render) };
}

type Changing = { readonly active?: boolean | undefined; readonly metadata: Record<string, string> };
function change<T extends { id: string; active: boolean; metadata: Record<string, string> }>(
  [kind, items]: readonly [kind: string, items: readonly T[]],
  id: string | undefined,
  changes: Changing | undefined,
  render: (item: T) => unknown,
) {
  const item = items.find((each) => each.id === id);
  if (item === undefined) return missing(kind, id ?? "");
  item.active = changes?.active ?? item.active;
  Object.assign(item.metadata, changes?.metadata);
  return render(item);
}

const nothing = (request: { readonly url: URL; readonly query: Query }) =>
  listOf([], request, () => undefined);
const seconds = ({ now }: Pick<StandInRequest<StripeState>, "now">) => Math.floor(now / 1000);
const envOf = (key: string, state: StripeState, { publishableKey }: StripeState) => ({
  STRIPE_SECRET_KEY: key,
  STRIPE_PUBLISHABLE_KEY: publishableKey,
  STRIPE_PRICE_ID: sellSomething(state).id,
  STRIPE_WEBHOOK_SECRET: `whsec_${randomText(32)}`,
});

/** The parts of Stripe's v1 API that the connector calls, with the org's test account and one for every user. */
export const stripeStandIn: StandIn<typeof stripeCalls, StripeState> = {
  id: "stripe",
  calls: stripeCalls,
  account: accountSchema,
  createAccount: (mode, of) => createStripeState(mode, of === "user" ? "Acme GmbH" : undefined),
  keysOf: ({ restrictedKey, limitedKey, readOnlyKey, sellingKey, secretKey }) => [
    restrictedKey,
    limitedKey,
    readOnlyKey,
    sellingKey,
    secretKey,
  ],
  refuse: ({ account, key, url: { pathname } }, { method }) => {
    const resource = resources[pathname.split("/")[2] ?? ""] ?? "";
    const writes = method !== "GET";
    if (mayDo(account, key, resource, writes)) return undefined;
    const permission = `${resource}_${writes ? "write" : "read"}`;
    return new Refused(403, {
      message: `The provided key '${mask(key)}' does not have the required permissions for this endpoint on account '${account.account}'. Having the '${permission}' permission would allow this request to continue.`,
    });
  },
  headers: () => ({ "request-id": `req_${randomText(14)}` }),
  idempotent: true,
  errorBody: (status, { code, message, param, key }) => {
    const isKeys = code?.startsWith("idempotency") === true;
    const words =
      message ?? (status === 401 && key !== undefined ? `Invalid API Key provided: ${mask(key)}` : undefined);
    const told = { unknown: "parameter_unknown", missing: "parameter_missing" }[code ?? ""] ?? code;
    const type = isKeys ? "idempotency_error" : status >= 500 ? "api_error" : "invalid_request_error";
    const shown = status === 429 ? "rate_limit" : isKeys || told === param ? undefined : told;
    return { error: { message: words ?? `Request refused: ${told ?? status}`, code: shown, param, type } };
  },
  answers: {
    readAccount: ({ account: { account: id, name, livemode: details_submitted } }) => ({
      id,
      object: "account",
      business_profile: { name },
      charges_enabled: true,
      country: "DE",
      default_currency: "eur",
      details_submitted,
      settings: { branding: {}, card_payments: {}, dashboard: { display_name: name }, payments: {} },
      type: "standard",
    }),
    readBalance: ({ account: { livemode } }) => ({ object: "balance", available: [], livemode, pending: [] }),
    listProducts: (request) => listOf(request.account.products, request, productBody(request.account)),
    createProduct: ({ account, body: { id = `prod_${randomText(14)}`, name, active, metadata }, now }) => {
      if (account.products.some((product) => product.id === id))
        return new Refused(400, {
          code: "resource_already_exists",
          message: "Product already exists.",
          param: "id",
        });
      const product = { id, name, metadata, active, created: seconds({ now }) };
      account.products.unshift(product);
      return productBody(account)(product);
    },
    readProduct: ({ account, params }) =>
      change(["product", account.products], params.id, undefined, productBody(account)),
    changeProduct: ({ account, params, body }) =>
      change(["product", account.products], params.id, body, productBody(account)),
    listPrices: (request) => {
      const { product, lookup_keys = {} } = request.query;
      const wanted = Object.values(lookup_keys);
      return listOf(
        request.account.prices,
        { ...request, query: { ...request.query, active: request.query.active ?? true } },
        priceBody(request.account),
        (price) =>
          (product === undefined || price.product === product) &&
          (wanted.length === 0 || wanted.includes(price.lookup_key ?? "")),
      );
    },
    createPrice: ({ account, body: { recurring, nickname: _, ...body }, now }) => {
      if (!account.products.some(({ id }) => id === body.product))
        return missing("product", body.product, 400);
      const holder = account.prices.find(({ lookup_key: held }) => held !== null && held === body.lookup_key);
      const message = `A price (\`${holder?.id}\`) already uses that lookup key.`;
      if (holder !== undefined) return new Refused(400, { message, param: "lookup_key" });
      const price = { ...body, interval: recurring?.interval ?? null, created: seconds({ now }) };
      return priceBody(account)(addPrice(account, price));
    },
    readPrice: ({ account, params }) =>
      change(["price", account.prices], params.id, undefined, priceBody(account)),
    changePrice: ({ account, params, body }) =>
      change(["price", account.prices], params.id, body, priceBody(account)),
    listWebhooks: nothing,
    listSessions: nothing,
    // Sessions and intents are answered and not kept.
    createSession: ({ account: { prices, livemode }, body: { mode, success_url, line_items } }) => {
      const named = Object.entries(line_items).filter(([name]) => name.endsWith(".price"));
      const unknown = named.find(([, id]) => !prices.some((price) => price.id === id && price.active));
      if (unknown !== undefined) return missing("price", unknown[1], 400);
      if (named.length === 0 && mode !== "setup")
        return new Refused(400, { code: "missing", param: "line_items" });
      const id = `cs_${livemode ? "live" : "test"}_${randomText(58)}`;
      const url = `https://checkout.stripe.com/c/pay/${id}`;
      return {
        id,
        object: "checkout.session",
        livemode,
        mode,
        payment_status: "unpaid",
        status: "open",
        success_url,
        url,
      };
    },
    createIntent: ({ account: { livemode }, body: { amount, currency } }) => {
      const id = `pi_${randomText(24)}`;
      const client_secret = `${id}_secret_${randomText(25)}`;
      return {
        id,
        object: "payment_intent",
        amount,
        client_secret,
        currency,
        livemode,
        status: "requires_payment_method",
      };
    },
  },
  orgFields: ({ restrictedKey: secretKey, publishableKey }) => ({ secretKey, publishableKey }),
  userEnv: {
    good: (own) => envOf(own.restrictedKey, own, own),
    "read-only": (own) => envOf(own.readOnlyKey, own, own),
    limited: (own) => envOf(own.sellingKey, own, own),
    wide: (own) => envOf(own.secretKey, own, own),
    "wrong-pair": async (own, another) => envOf(own.restrictedKey, own, await another()),
  },
};

export const startEmulator = startStandIn(stripeStandIn);
