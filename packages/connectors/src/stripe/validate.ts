import {
  type ConnectorContext,
  type KeyMode,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import type Stripe from "stripe";
import * as z from "zod";
import { requireField } from "../kit/define-connector.ts";
import { invalid, malformedField, undetermined } from "../kit/validation-results.ts";
import { openStripe } from "./client.ts";
import { findLiveKey, findWrongPair, type KeyNames, orgNames } from "./keys.ts";
import {
  type Finding,
  type Probe,
  readBalance,
  readCheckoutSessions,
  readPrices,
  readProducts,
  readWebhookEndpoints,
  runProbe,
} from "./probes.ts";
import { keysPage, stripeSpec, testKeysPage } from "./spec.ts";

const orgProbes = [readBalance, readProducts, readPrices, readCheckoutSessions, readWebhookEndpoints];
// Without these the demo price and the prices of builds can neither be found nor made.
const neededToLend: readonly string[] = [readProducts.name, readPrices.name];

/** Checks the org's keys: test mode only, one account, and what the secret key may do. */
export async function validateOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<ValidationResult> {
  const refused =
    malformedField(stripeSpec.orgFields, fields) ??
    findLiveKey(orgNames, fields) ??
    findWrongPair(orgNames, fields);
  if (refused !== undefined) return refused;
  const secretKey = requireField(fields, orgNames.secretKey);
  try {
    const findings = await ask(await openStripe(context, secretKey), orgProbes);
    const problem = modeProblem(orgNames, findings, "test") ?? lendingProblem(findings);
    if (problem !== undefined) return problem;
    const account = accountOf(findings);
    return {
      status: "valid",
      mode: "test",
      ...(account === undefined ? {} : { account }),
      capabilities: findings.map(({ capability }) => capability),
      warnings: secretKey.startsWith("sk_") ? [fullKeyWarning] : [],
    };
  } catch (error) {
    return explain(error, orgNames);
  }
}

const fullKeyWarning =
  "This key can do everything in the test account, and every build gets it: a restricted key (rk_test_) is safer.";

/** Asks all questions at once, in the order of the probes. */
export function ask(stripe: Stripe, probes: readonly Probe[]): Promise<Finding[]> {
  return Promise.all(probes.map((probe) => runProbe(stripe, probe)));
}

/** The account that a refusal named. */
export function accountOf(findings: readonly Finding[]): string | undefined {
  return findings.find(({ account }) => account !== undefined)?.account;
}

const balanceSchema = z.object({ livemode: z.boolean() });

/**
 * Whether the account answers in another mode than the key's beginning says. The first finding is the balance.
 * @throws ProviderError when the balance does not tell its mode
 */
export function modeProblem(
  names: KeyNames,
  [balance]: readonly Finding[],
  mode: KeyMode,
): ValidationResult | undefined {
  if (balance?.answer === undefined) return undefined;
  const { data } = balanceSchema.safeParse(balance.answer);
  if (data === undefined) {
    throw new ProviderError("stripe", "invalid_response", "the answer has an unexpected shape");
  }
  if (data.livemode === (mode === "live")) return undefined;
  return invalid(
    names.secretKey,
    "wrong_mode",
    "The key works in another mode than its beginning says.",
    `Copy a key again: ${keysPage}`,
  );
}

function lendingProblem(findings: readonly Finding[]): ValidationResult | undefined {
  const lacking = findings.find(
    ({ capability }) => capability.state === "missing" && neededToLend.includes(capability.name),
  )?.capability;
  if (lacking === undefined) return undefined;
  return invalid(
    orgNames.secretKey,
    "lacks_permission",
    `The key lacks a permission that lending needs: ${lacking.name.replace(/^Can /, "to ")}.`,
    lacking.remedy ?? `Give the key write access to products and prices: ${testKeysPage}`,
  );
}

/** What a failure says of the key; only 401 says anything. */
export function explain(error: unknown, names: KeyNames): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  if (error.code !== "unauthorized") return undetermined(error);
  return invalid(
    names.secretKey,
    "rejected",
    "Stripe refuses the key.",
    `It may be replaced, deleted or incomplete: copy the current one from ${keysPage}`,
  );
}
