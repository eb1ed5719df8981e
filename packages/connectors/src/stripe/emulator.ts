import { createFaultQueue, type FaultQueue, type StartEmulator } from "../kit/emulator.ts";
import { createEmulatorApp, type EmulatorApp, requireBearer, serveEmulator } from "../kit/emulator-app.ts";
import { openEmulatorState } from "../kit/emulator-state.ts";
import { createPrice, createProduct, find, keepsPrice, keepsProduct, update } from "./emulator-catalog.ts";
import {
  answer,
  errorBody,
  idempotency,
  type Listed,
  listBody,
  parseForm,
  refuse,
  type StripeProblem,
} from "./emulator-http.ts";
import { limitKeys, maskKey, secretKeysOf } from "./emulator-keys.ts";
import { createCheckoutSession, createPaymentIntent } from "./emulator-payments.ts";
import {
  createStripeState,
  type EmulatedPrice,
  type EmulatedProduct,
  priceBody,
  productBody,
  type StripeState,
  stripeStateSchema,
} from "./emulator-store.ts";
import { openUserAccounts } from "./emulator-users.ts";

/**
 * A stand-in for the parts of Stripe's v1 API that the connector calls, with the org's test account and an
 * account for every user.
 */
export const startEmulator: StartEmulator = async ({ stateDirectory, port }) => {
  const state = await openEmulatorState(stateDirectory, "stripe", stripeStateSchema, () =>
    createStripeState(),
  );
  const users = await openUserAccounts(stateDirectory);
  const faults = createFaultQueue();
  const own = createStripeApp(state.value, faults, state.save);
  const apps = new Map<StripeState, EmulatorApp>();
  const appOf = (key: string | undefined): EmulatorApp => {
    const user = users.list().find((account) => secretKeysOf(account).some((known) => known === key));
    if (user === undefined) return own;
    const app = apps.get(user) ?? createStripeApp(user, faults, users.save);
    apps.set(user, app);
    return app;
  };
  const fetch: EmulatorApp["fetch"] = (request, ...rest) =>
    appOf(/^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]).fetch(request, ...rest);
  const server = await serveEmulator({ fetch }, port);
  const { restrictedKey, publishableKey } = state.value;
  return {
    ...server,
    faults,
    orgFields: { secretKey: restrictedKey, publishableKey },
    createUserEnv: users.createEnv,
    close: async () => {
      await server.close();
      await Promise.all([state.save(), users.save()]);
    },
  };
};

/**
 * The API of one account.
 * @param save is awaited after every change, before the answer leaves
 */
export function createStripeApp(
  state: StripeState,
  faults: FaultQueue,
  save: () => Promise<void>,
): EmulatorApp {
  const { livemode } = state;
  const app = createEmulatorApp({ faults, errorBody: (status) => errorBody(problemOf(status)) });
  app.use(
    "/v1/*",
    requireBearer((key) => secretKeysOf(state).includes(key), refuseKey),
  );
  app.use("/v1/*", limitKeys(state));
  app.use("/v1/*", idempotency());
  addCatalog(app, state, save);
  addPayments(app, state);
  app.get("/v1/account", () => answer(200, JSON.stringify(accountBody(state))));
  app.get("/v1/balance", () =>
    answer(200, JSON.stringify({ object: "balance", available: [], livemode, pending: [] })),
  );
  app.get("/v1/webhook_endpoints", ({ req }) => list(req.url, nothing));
  return app;
}

function addPayments(app: EmulatorApp, state: StripeState): void {
  const same = (made: Record<string, unknown>) => made;
  app.get("/v1/checkout/sessions", ({ req }) => list(req.url, nothing));
  app.post("/v1/checkout/sessions", async ({ req }) =>
    reply(createCheckoutSession(state, parseForm(await req.text())), same),
  );
  app.post("/v1/payment_intents", async ({ req }) =>
    reply(createPaymentIntent(state, parseForm(await req.text())), same),
  );
}

const nothing: Listed<{ readonly id: string }> = { items: [], keeps: () => true, render: (item) => item };

function accountBody({ account, name, livemode }: StripeState): Record<string, unknown> {
  return {
    id: account,
    object: "account",
    business_profile: { name },
    charges_enabled: true,
    country: "DE",
    default_currency: "eur",
    details_submitted: livemode,
    settings: { dashboard: { display_name: name } },
    type: "standard",
  };
}

function addCatalog(app: EmulatorApp, state: StripeState, save: () => Promise<void>): void {
  const product = (found: EmulatedProduct | StripeProblem) =>
    reply(found, (item) => productBody(item, state.livemode));
  const price = (found: EmulatedPrice | StripeProblem) =>
    reply(found, (item) => priceBody(item, state.livemode));
  const saved = async (response: Response) => {
    if (response.ok) await save();
    return response;
  };
  app.get("/v1/products", ({ req }) => {
    const render = (item: EmulatedProduct) => productBody(item, state.livemode);
    return list(req.url, { items: state.products, keeps: keepsProduct, render });
  });
  app.post("/v1/products", async ({ req }) =>
    saved(product(createProduct(state, parseForm(await req.text())))),
  );
  app.get("/v1/products/:id", ({ req }) => product(find("product", state.products, req.param("id"))));
  app.post("/v1/products/:id", async ({ req }) =>
    saved(product(update("product", state.products, req.param("id"), parseForm(await req.text())))),
  );
  app.get("/v1/prices", ({ req }) => {
    const render = (item: EmulatedPrice) => priceBody(item, state.livemode);
    return list(req.url, { items: state.prices, keeps: keepsPrice, render });
  });
  app.post("/v1/prices", async ({ req }) => saved(price(createPrice(state, parseForm(await req.text())))));
  app.get("/v1/prices/:id", ({ req }) => price(find("price", state.prices, req.param("id"))));
  app.post("/v1/prices/:id", async ({ req }) =>
    saved(price(update("price", state.prices, req.param("id"), parseForm(await req.text())))),
  );
}

function refuseKey(key: string | undefined): Response {
  const message =
    key === undefined
      ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth."
      : `Invalid API Key provided: ${maskKey(key)}`;
  return refuse({ status: 401, message });
}

function list<T extends { readonly id: string }>(requested: string, listed: Listed<T>): Response {
  const { pathname, search } = new URL(requested);
  const body = listBody(pathname, listed, parseForm(search));
  if (body !== undefined) return answer(200, body);
  return refuse({
    status: 400,
    code: "parameter_invalid_integer",
    message: "Invalid integer",
    param: "limit",
  });
}

function reply<T extends { id: string }>(
  found: T | StripeProblem,
  render: (item: T) => Record<string, unknown>,
): Response {
  return isProblem(found) ? refuse(found) : answer(200, JSON.stringify(render(found)));
}

/** Objects of the API may have a status too, but in words. */
function isProblem(found: object): found is StripeProblem {
  return "status" in found && typeof found.status === "number";
}

function problemOf(status: number): StripeProblem {
  if (status === 401) return { status, message: "Invalid API Key provided." };
  if (status === 404) return { status, message: "Unrecognized request URL." };
  if (status === 429) return { status, code: "rate_limit", message: "Request rate limit exceeded." };
  return { status, type: "api_error", message: "An unknown error occurred." };
}
