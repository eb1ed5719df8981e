import { type Capability, ProviderError } from "@keyloan/contract";
import type Stripe from "stripe";
import { checkAnswer } from "./client.ts";
import { readFailure } from "./errors.ts";
import { keysPage } from "./spec.ts";

export type Probe = {
  /** What a page shows, such as "Can read prices". */
  readonly name: string;
  /** What to allow for it, in the words of the dashboard. */
  readonly permission: string;
  readonly ask: (stripe: Stripe) => Promise<unknown>;
};

/** What one question told: of the key, and, when a permission was missing, of whose key it is. */
export type Finding = {
  readonly capability: Capability;
  readonly account?: string;
  readonly answer?: unknown;
};

const one = { limit: 1 };

export const readBalance: Probe = {
  name: "Can read the balance",
  permission: "Balance: read",
  ask: async (stripe) => checkAnswer("balance", await stripe.balance.retrieve()),
};
export const readProducts: Probe = {
  name: "Can read products",
  permission: "Products: read",
  ask: async (stripe) => checkAnswer("list", await stripe.products.list(one)),
};
export const readPrices: Probe = {
  name: "Can read prices",
  permission: "Prices: read",
  ask: async (stripe) => checkAnswer("list", await stripe.prices.list(one)),
};
export const readCheckoutSessions: Probe = {
  name: "Can read checkout sessions",
  permission: "Checkout Sessions: read",
  ask: async (stripe) => checkAnswer("list", await stripe.checkout.sessions.list(one)),
};
export const readWebhookEndpoints: Probe = {
  name: "Can read webhook endpoints",
  permission: "Webhook Endpoints: read",
  ask: async (stripe) => checkAnswer("list", await stripe.webhookEndpoints.list(one)),
};
// Both ask for what can never be made, an unknown price and a negative amount: nothing comes of it whoever asks.
export const createCheckoutSessions: Probe = {
  name: "Can create checkout sessions",
  permission: "Checkout Sessions: write",
  ask: (stripe) =>
    refusedForItsContent(() =>
      stripe.checkout.sessions.create({
        mode: "payment",
        line_items: [{ price: "price_keyloan_check", quantity: 1 }],
        success_url: "https://example.com",
      }),
    ),
};
export const createPaymentIntents: Probe = {
  name: "Can create payment intents",
  permission: "Payment Intents: write",
  ask: (stripe) => refusedForItsContent(() => stripe.paymentIntents.create({ amount: -1, currency: "usd" })),
};

/**
 * Asks once. A 403 is a genuine key that may not do this; a wrong one is answered 401.
 * @throws what the SDK throws for anything else
 */
export async function runProbe(stripe: Stripe, { name, permission, ask }: Probe): Promise<Finding> {
  try {
    return { capability: { name, state: "works" }, answer: await ask(stripe) };
  } catch (thrown) {
    const failure = readFailure(thrown);
    if (failure.error.code !== "forbidden") throw failure.error;
    const stripesName = failure.permission === undefined ? "" : ` (${failure.permission})`;
    const remedy = `Open the key in the Stripe dashboard and allow ${permission}${stripesName}.`;
    return {
      capability: { name, state: "missing", remedy, helpUrl: keysPage },
      ...(failure.account === undefined ? {} : { account: failure.account }),
    };
  }
}

/**
 * Stripe looks at what a key may do before it looks at what is asked: 403 comes before 400. So a request
 * that is refused for its content shows a permission to write, and writes nothing.
 */
async function refusedForItsContent(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (thrown) {
    const { error, isInvalidRequest } = readFailure(thrown);
    if (error.code === "rejected" && error.status === 400 && isInvalidRequest) return;
    throw thrown;
  }
  throw new ProviderError("stripe", "invalid_response", "accepted a request that cannot be carried out");
}
