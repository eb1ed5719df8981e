import type { MiddlewareHandler } from "hono";
import { createFaultQueue, type FaultQueue, type StartEmulator } from "../kit/emulator.ts";
import {
  createEmulatorApp,
  type EmulatorApp,
  type EmulatorEnv,
  requireBearer,
  serveEmulator,
} from "../kit/emulator-app.ts";
import { openEmulatorState } from "../kit/emulator-state.ts";
import { createPrice, createProduct, filterPrices, find, update } from "./emulator-catalog.ts";
import {
  answer,
  errorBody,
  idempotency,
  listBody,
  parseForm,
  refuse,
  type StripeProblem,
} from "./emulator-http.ts";
import {
  createStripeState,
  type EmulatedPrice,
  type EmulatedProduct,
  priceBody,
  productBody,
  type StripeState,
  stripeStateSchema,
} from "./emulator-store.ts";

/** A stand-in for the parts of Stripe's v1 API that the connector calls, with one test account. */
export const startEmulator: StartEmulator = async ({ stateDirectory, port }) => {
  const state = await openEmulatorState(stateDirectory, "stripe", stripeStateSchema, createStripeState);
  const faults = createFaultQueue();
  const server = await serveEmulator(createStripeApp(state.value, faults, state.save), port);
  const { restrictedKey, publishableKey } = state.value;
  return {
    ...server,
    faults,
    orgFields: { secretKey: restrictedKey, publishableKey },
    close: async () => {
      await server.close();
      await state.save();
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
  const app = createEmulatorApp({ faults, errorBody: (status) => errorBody(problemOf(status)) });
  const keys = () => [state.restrictedKey, state.limitedKey, state.secretKey];
  app.use(
    "/v1/*",
    requireBearer((key) => keys().includes(key), refuseKey),
  );
  app.use("/v1/*", limitKey(state));
  app.use("/v1/*", idempotency());
  addCatalog(app, state, save);
  app.get("/v1/balance", () =>
    answer(200, JSON.stringify({ object: "balance", available: [], livemode: false, pending: [] })),
  );
  app.get("/v1/checkout/sessions", ({ req }) => list("/v1/checkout/sessions", [], new URL(req.url).search));
  app.get("/v1/webhook_endpoints", ({ req }) => list("/v1/webhook_endpoints", [], new URL(req.url).search));
  return app;
}

function addCatalog(app: EmulatorApp, state: StripeState, save: () => Promise<void>): void {
  const product = (found: EmulatedProduct | StripeProblem) => reply(found, productBody);
  const price = (found: EmulatedPrice | StripeProblem) => reply(found, priceBody);
  const saved = async (response: Response) => {
    if (response.ok) await save();
    return response;
  };
  app.get("/v1/products", ({ req }) =>
    list("/v1/products", state.products.map(productBody), new URL(req.url).search),
  );
  app.post("/v1/products", async ({ req }) =>
    saved(product(createProduct(state, parseForm(await req.text())))),
  );
  app.get("/v1/products/:id", ({ req }) => product(find("product", state.products, req.param("id"))));
  app.post("/v1/products/:id", async ({ req }) =>
    saved(product(update("product", state.products, req.param("id"), parseForm(await req.text())))),
  );
  app.get("/v1/prices", ({ req }) => {
    const { search } = new URL(req.url);
    return list("/v1/prices", filterPrices(state.prices, parseForm(search)).map(priceBody), search);
  });
  app.post("/v1/prices", async ({ req }) => saved(price(createPrice(state, parseForm(await req.text())))));
  app.get("/v1/prices/:id", ({ req }) => price(find("price", state.prices, req.param("id"))));
  app.post("/v1/prices/:id", async ({ req }) =>
    saved(price(update("price", state.prices, req.param("id"), parseForm(await req.text())))),
  );
}

const permissions: readonly [path: RegExp, name: string][] = [
  [/^\/v1\/balance/, "rak_balance"],
  [/^\/v1\/products/, "rak_product"],
  [/^\/v1\/prices/, "rak_plan"],
  [/^\/v1\/checkout\/sessions/, "rak_checkout_session"],
  [/^\/v1\/webhook_endpoints/, "rak_webhook"],
];
const limitedTo = ["rak_balance_read", "rak_product_read", "rak_plan_read"];

/** Answers the limited key as Stripe does: 403, naming account and missing permission. */
function limitKey(state: StripeState): MiddlewareHandler<EmulatorEnv> {
  return async ({ req }, next) => {
    if (req.header("authorization") !== `Bearer ${state.limitedKey}`) return next();
    const resource = permissions.find(([path]) => path.test(req.path))?.[1];
    const permission = `${resource}_${req.method === "GET" ? "read" : "write"}`;
    if (limitedTo.includes(permission)) return next();
    return refuse({
      status: 403,
      message: `The provided key '${mask(state.limitedKey)}' does not have the required permissions for this endpoint on account '${state.account}'. Having the '${permission}' permission would allow this request to continue.`,
    });
  };
}

function refuseKey(key: string | undefined): Response {
  const message =
    key === undefined
      ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth."
      : `Invalid API Key provided: ${mask(key)}`;
  return refuse({ status: 401, message });
}

function mask(key: string): string {
  return `${key.slice(0, 8)}${"*".repeat(Math.max(key.length - 12, 0))}${key.slice(-4)}`;
}

function list(url: string, items: readonly Record<string, unknown>[], search: string): Response {
  const body = listBody(url, items, parseForm(search));
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
  return "status" in found ? refuse(found) : answer(200, JSON.stringify(render(found)));
}

function problemOf(status: number): StripeProblem {
  if (status === 401) return { status, message: "Invalid API Key provided." };
  if (status === 404) return { status, message: "Unrecognized request URL." };
  if (status === 429) return { status, code: "rate_limit", message: "Request rate limit exceeded." };
  return { status, type: "api_error", message: "An unknown error occurred." };
}
