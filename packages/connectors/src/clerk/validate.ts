import {
  type ConnectorContext,
  type InvalidKeyCode,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { malformedField, undeterminedFrom } from "../kit/validation-results.ts";
import { countUsersWithSdk, readInstance } from "./client.ts";
import { belongsToInstance } from "./pair.ts";
import { decodePublishableKey, type PublishableKey } from "./publishable-key.ts";
import { clerkSpec } from "./spec.ts";

type Names = { readonly secretKey: string; readonly publishableKey: string };
type Pair = {
  readonly names: Names;
  readonly secretKey: string;
  readonly publishable: PublishableKey;
};

const orgNames: Names = { secretKey: "secretKey", publishableKey: "publishableKey" };
const envNames: Names = { secretKey: "CLERK_SECRET_KEY", publishableKey: "CLERK_PUBLISHABLE_KEY" };

/** Checks the org's pair; only a development instance may be lent. */
export async function validateOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<ValidationResult> {
  const shape = swapped(orgNames, fields) ?? malformedField(clerkSpec.orgFields, fields);
  if (shape !== undefined) return shape;
  const pair = readPair(orgNames, fields);
  if ("status" in pair) return pair;
  return liveKey(pair) ?? checkPair(context, pair);
}

/** Checks a user's or a lease's values; live instances are welcome. */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const shape = swapped(envNames, values) ?? malformedField(clerkSpec.env, values);
  if (shape !== undefined) return shape;
  const pair = readPair(envNames, values);
  return "status" in pair ? pair : checkPair(context, pair);
}

function readPair(names: Names, values: SecretValues): Pair | ValidationResult {
  const publishable = decodePublishableKey(requireField(values, names.publishableKey));
  if (publishable === undefined) {
    return invalid(
      names.publishableKey,
      "malformed",
      "the publishable key holds no host name",
      "Copy the whole publishable key again from the dashboard's API keys page.",
    );
  }
  return { names, secretKey: requireField(values, names.secretKey), publishable };
}

async function checkPair(context: ConnectorContext, pair: Pair): Promise<ValidationResult> {
  const { names, secretKey, publishable } = pair;
  if (modeOf(secretKey) !== publishable.mode) return wrongPair(names, "one key is test, the other live");
  try {
    const instance = await readInstance(context, secretKey);
    if ((instance.environment === "production") !== (publishable.mode === "live")) {
      return invalid(
        names.secretKey,
        "wrong_mode",
        `the key belongs to a ${instance.environment === "production" ? "production" : "development"} instance`,
        "Copy both keys again from one instance of the dashboard.",
      );
    }
    const [, belongs] = await Promise.all([
      countUsersWithSdk(context, secretKey),
      belongsToInstance(context, secretKey, publishable),
    ]);
    if (!belongs) return wrongPair(names, "the keys belong to two instances");
    return {
      status: "valid",
      account: instance.id,
      mode: publishable.mode,
      capabilities: ["read the instance", "read users", "key pair"].map((name) => ({ name, state: "works" })),
      warnings: [],
    };
  } catch (error) {
    return answerOf(error, names);
  }
}

function answerOf(error: unknown, names: Names): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  if (error.code === "unauthorized" || error.code === "forbidden") {
    return invalid(
      names.secretKey,
      "rejected",
      "Clerk refuses the secret key",
      "Copy the secret key again, or make a new one on the dashboard's API keys page.",
    );
  }
  if (error.code === "timeout" || error.code === "rate_limited") return undeterminedFrom(error);
  // Every genuine key may make these calls, so any other answer tells about the provider, not the key.
  return { status: "undetermined", code: "provider_down", message: `clerk ${error.message}` };
}

function liveKey({ names, secretKey, publishable }: Pair): ValidationResult | undefined {
  const secretIsLive = modeOf(secretKey) === "live";
  if (!secretIsLive && publishable.mode !== "live") return undefined;
  return invalid(
    secretIsLive ? names.secretKey : names.publishableKey,
    "wrong_mode",
    "Clerk live keys administer the whole instance",
    "Lend a development instance: its keys start with sk_test_ and pk_test_.",
  );
}

function swapped(names: Names, values: SecretValues): ValidationResult | undefined {
  const mistakes = [
    [names.secretKey, "pk_", "a publishable key"],
    [names.publishableKey, "sk_", "a secret key"],
  ] as const;
  const found = mistakes.find(([name, prefix]) => values[name]?.reveal().startsWith(prefix));
  if (found === undefined) return undefined;
  return invalid(found[0], "malformed", `${found[0]} holds ${found[2]}`, "Put each key into its own field.");
}

function wrongPair(names: Names, message: string): ValidationResult {
  const remedy = "Copy both keys again from the API keys page of one instance.";
  return invalid(names.publishableKey, "wrong_pair", message, remedy);
}

function modeOf(key: string): "test" | "live" {
  return key.slice(3).startsWith("live_") ? "live" : "test";
}

function invalid(envVar: string, code: InvalidKeyCode, message: string, remedy: string): ValidationResult {
  return { status: "invalid", envVar, code, message, remedy };
}
