import {
  type Capability,
  type ConnectorContext,
  type FieldSpec,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import type Stripe from "stripe";
import * as z from "zod";
import { requireField } from "../kit/define-connector.ts";
import { malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { call, checkAnswer, openStripe } from "./client.ts";
import { readFailure } from "./errors.ts";
import {
  envNames,
  findLiveKey,
  findSwappedKey,
  findWrongPair,
  invalid,
  type KeyNames,
  modeOf,
  orgNames,
} from "./keys.ts";
import { keysPage, stripeSpec } from "./spec.ts";

type Probe = {
  readonly name: string;
  readonly ask: (stripe: Stripe) => Promise<unknown>;
};

const one = { limit: 1 };
const probes: readonly Probe[] = [
  { name: "read balance", ask: async (stripe) => checkAnswer("balance", await stripe.balance.retrieve()) },
  { name: "read products", ask: async (stripe) => checkAnswer("list", await stripe.products.list(one)) },
  { name: "read prices", ask: async (stripe) => checkAnswer("list", await stripe.prices.list(one)) },
  {
    name: "read checkout sessions",
    ask: async (stripe) => checkAnswer("list", await stripe.checkout.sessions.list(one)),
  },
  {
    name: "read webhook endpoints",
    ask: async (stripe) => checkAnswer("list", await stripe.webhookEndpoints.list(one)),
  },
];
// Without these the demo price and the prices of builds can neither be found nor made.
const neededToLend = ["read products", "read prices"];

/** Checks the org's keys: test mode only, one account, and what the secret key may do. */
export async function validateOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<ValidationResult> {
  const refused =
    findSwappedKey(orgNames, fields) ??
    malformedField(stripeSpec.orgFields, fields) ??
    findLiveKey(orgNames, fields) ??
    findWrongPair(orgNames, fields);
  if (refused !== undefined) return refused;
  const result = await probeKey(context, orgNames, fields);
  if (result.status !== "valid") return result;
  const lacking = result.capabilities.find(
    ({ name, state }) => state === "missing" && neededToLend.includes(name),
  );
  if (lacking !== undefined) {
    return invalid(
      orgNames.secretKey,
      "lacks_permission",
      `the key may not ${lacking.name}`,
      lacking.remedy ?? `Give the key write access to products and prices: ${keysPage}`,
    );
  }
  return requireField(fields, orgNames.secretKey).startsWith("sk_")
    ? { ...result, warnings: [...result.warnings, fullKeyWarning] }
    : result;
}

const fullKeyWarning =
  "This key may do everything in the test account, and every build gets it: a restricted key (rk_test_) is safer.";

/** Checks a user's or a lease's values; live keys are welcome. */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const refused =
    findSwappedKey(envNames, values) ??
    malformedField(stripeSpec.env.filter(isSingle), values) ??
    findWrongPair(envNames, values);
  if (refused !== undefined) return refused;
  const result = await probeKey(context, envNames, values);
  const priceId = values.STRIPE_PRICE_ID?.reveal();
  if (result.status !== "valid" || priceId === undefined) return result;
  return (await checkPrice(context, requireField(values, envNames.secretKey), priceId)) ?? result;
}

async function probeKey(
  context: ConnectorContext,
  names: KeyNames,
  values: SecretValues,
): Promise<ValidationResult> {
  const secretKey = requireField(values, names.secretKey);
  const mode = modeOf(secretKey);
  const stripe = await openStripe(context, secretKey);
  try {
    const findings = await Promise.all(probes.map((probe) => runProbe(stripe, probe)));
    const balance = findings[0]?.answer;
    if (balance !== undefined && readLivemode(balance) !== (mode === "live")) {
      return invalid(names.secretKey, "wrong_mode", "the key's mode is not the account's", `See ${keysPage}`);
    }
    const account = findings.find((finding) => finding.account !== undefined)?.account;
    return {
      status: "valid",
      mode,
      ...(account === undefined ? {} : { account }),
      capabilities: findings.map(({ capability }) => capability),
      warnings: [],
    };
  } catch (error) {
    return answerOf(error, names);
  }
}

type Finding = { readonly capability: Capability; readonly account?: string; readonly answer?: unknown };

async function runProbe(stripe: Stripe, { name, ask }: Probe): Promise<Finding> {
  try {
    return { capability: { name, state: "works" }, answer: await ask(stripe) };
  } catch (thrown) {
    const { error, permission, account } = readFailure(thrown);
    // A genuine key that may not do this; a wrong one is answered 401.
    if (error.code !== "forbidden") throw error;
    const remedy = `Grant ${permission ?? "this resource"} to the restricted key in the Stripe dashboard.`;
    return {
      capability: { name, state: "missing", remedy, helpUrl: keysPage },
      ...(account === undefined ? {} : { account }),
    };
  }
}

const balanceSchema = z.object({ livemode: z.boolean() });

function readLivemode(answer: unknown): boolean {
  const balance = balanceSchema.safeParse(answer);
  if (balance.success) return balance.data.livemode;
  throw new ProviderError("stripe", "invalid_response", "the answer has an unexpected shape");
}

async function checkPrice(
  context: ConnectorContext,
  secretKey: string,
  priceId: string,
): Promise<ValidationResult | undefined> {
  const stripe = await openStripe(context, secretKey);
  try {
    await call("price", () => stripe.prices.retrieve(priceId));
    return undefined;
  } catch (error) {
    if (error instanceof ProviderError && error.code === "forbidden") return undefined;
    if (error instanceof ProviderError && error.code === "not_found") {
      return invalid(
        "STRIPE_PRICE_ID",
        "rejected",
        "the account has no such price",
        "Copy the id of a price (price_…) of this account and mode from the product catalogue.",
      );
    }
    return answerOf(error, envNames);
  }
}

function answerOf(error: unknown, names: KeyNames): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  if (error.code === "unauthorized") {
    return invalid(
      names.secretKey,
      "rejected",
      "Stripe refuses the key",
      `It may be rolled or expired: copy a current one from ${keysPage}`,
    );
  }
  if (error.code === "timeout" || error.code === "rate_limited") return undeterminedFrom(error);
  return { status: "undetermined", code: "provider_down", message: `stripe ${error.message}` };
}

function isSingle(field: FieldSpec & { readonly family?: boolean }): boolean {
  return field.family !== true;
}
