import {
  type Capability,
  type ConnectorContext,
  type EnvVarSpec,
  type KeyMode,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import type Stripe from "stripe";
import * as z from "zod";
import { requireField } from "../kit/define-connector.ts";
import { invalid, malformedField } from "../kit/validation-results.ts";
import { readAccount } from "./account.ts";
import { call, openStripe } from "./client.ts";
import { envNames, findWrongPair, modeOf, ofOneAccount } from "./keys.ts";
import {
  createCheckoutSessions,
  createPaymentIntents,
  type Finding,
  readBalance,
  readPrices,
  readProducts,
  readWebhookEndpoints,
} from "./probes.ts";
import { keysPage, stripeSpec } from "./spec.ts";
import { accountOf, ask, explain, modeProblem } from "./validate.ts";

const probes = [
  readBalance,
  readProducts,
  readPrices,
  createCheckoutSessions,
  createPaymentIntents,
  readWebhookEndpoints,
];
/** The variables of the given values, a member of a family as one of its own. */
function variablesOf(values: SecretValues): EnvVarSpec[] {
  return stripeSpec.env.flatMap((variable) =>
    variable.family === true
      ? Object.keys(values)
          .filter((name) => name.startsWith(variable.name))
          .map((name) => ({ ...variable, name }))
      : [variable],
  );
}

/** Checks a user's or a lease's values; live keys are welcome, restricted ones the more so. */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const refused = malformedField(variablesOf(values), values) ?? findWrongPair(envNames, values);
  if (refused !== undefined) return refused;
  const secretKey = requireField(values, envNames.secretKey);
  const mode = modeOf(secretKey);
  try {
    const stripe = await openStripe(context, secretKey);
    const [findings, account, prices] = await Promise.all([
      ask(stripe, probes),
      readAccount(stripe),
      Promise.all(pricesOf(values).map(([name, id]) => checkPrice(stripe, name, id, mode))),
    ]);
    const problem = modeProblem(envNames, findings, mode) ?? paymentProblem(findings);
    if (problem !== undefined) return problem;
    const unsold = prices.find((price) => "status" in price);
    if (unsold !== undefined) return unsold;
    const name = account.name ?? accountOf(findings);
    return {
      status: "valid",
      mode,
      ...(name === undefined ? {} : { account: name }),
      capabilities: [
        ...findings.map(({ capability }) => capability),
        ...prices.filter((price) => "name" in price),
        pairCapability(secretKey, requireField(values, envNames.publishableKey)),
        ...(values.STRIPE_WEBHOOK_SECRET === undefined ? [] : [webhookCapability]),
      ],
      warnings: [
        ...(secretKey.startsWith("sk_") ? [fullKeyWarning] : []),
        ...(account.takesPayments === false && mode === "live" ? [notActiveWarning] : []),
      ],
    };
  } catch (error) {
    return explain(error, envNames);
  }
}

const fullKeyWarning =
  "This key can do everything in your Stripe account: a restricted key (rk_) with what your app needs is safer.";
const notActiveWarning =
  "Stripe does not let this account take payments yet: complete what the dashboard asks about your business.";

/** A key that can start a payment neither way is of no use to an app that sells. */
function paymentProblem(findings: readonly Finding[]): ValidationResult | undefined {
  const ways: readonly string[] = [createCheckoutSessions.name, createPaymentIntents.name];
  const found = findings.map(({ capability }) => capability).filter(({ name }) => ways.includes(name));
  if (found.some(({ state }) => state === "works")) return undefined;
  return invalid(
    envNames.secretKey,
    "lacks_permission",
    "The key is genuine but does not have permission to start a payment.",
    `Open the key in the Stripe dashboard and allow ${createCheckoutSessions.permission}, or make another key: ${keysPage}`,
  );
}

function pairCapability(secretKey: string, publishableKey: string): Capability {
  const name = "Both keys belong to the same account";
  if (ofOneAccount(secretKey, publishableKey) === true) return { name, state: "works" };
  return {
    name,
    state: "not_checked",
    remedy: "These keys do not show their account: make sure that you copied both from the same page.",
    helpUrl: keysPage,
  };
}

const webhookCapability: Capability = {
  name: "The webhook signing secret is correct",
  state: "not_checked",
  remedy: "Stripe has no way to check it: send a test event once your app runs with it.",
};

const priceSchema = z.object({ active: z.boolean(), livemode: z.boolean() });
const priceVariable = "STRIPE_PRICE_ID";

/** Every price that is named, the one and those of the family. */
function pricesOf(values: SecretValues): [name: string, id: string][] {
  return Object.entries(values)
    .filter(([name]) => name === priceVariable || name.startsWith(`${priceVariable}_`))
    .map(([name, id]) => [name, id.reveal()]);
}

/** Whether the price can be sold; a key that may not read prices leaves it open. */
async function checkPrice(
  stripe: Stripe,
  variable: string,
  priceId: string,
  mode: KeyMode,
): Promise<Capability | ValidationResult> {
  const name = variable === priceVariable ? "The price can be sold" : `The price of ${variable} can be sold`;
  const otherPrice = (code: "rejected" | "wrong_mode", message: string) =>
    invalid(
      variable,
      code,
      message,
      "Copy the id of an active price (price_…) of the same account and mode from the product catalog.",
    );
  try {
    const price = priceSchema.parse(await call("price", () => stripe.prices.retrieve(priceId)));
    if (price.livemode !== (mode === "live"))
      return otherPrice("wrong_mode", "The price belongs to the other mode.");
    return price.active ? { name, state: "works" } : otherPrice("rejected", "The price is archived.");
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw new ProviderError("stripe", "invalid_response", "the answer has an unexpected shape");
    }
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === "not_found") return otherPrice("rejected", "Your account has no such price.");
    if (error.code !== "forbidden") throw error;
    return { name, state: "not_checked", remedy: `Allow ${readPrices.permission} and check again.` };
  }
}
