import {
  type ConnectorContext,
  keyModeOf,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { invalid, malformedField, undetermined } from "../kit/validation-results.ts";
import { countUsers, countUsersWithSdk, readInstance } from "./client.ts";
import { belongsToInstance } from "./pair.ts";
import { decodePublishableKey, type PublishableKey } from "./publishable-key.ts";
import { clerkSpec, keysPage, secretKeyForm } from "./spec.ts";

type Pair = {
  readonly names: Names;
  readonly secretKey: string;
  readonly publishable: PublishableKey;
};
type Names = { readonly secretKey: string; readonly publishableKey: string };
type CountUsers = (context: ConnectorContext, secretKey: string) => Promise<number>;

const orgNames: Names = { secretKey: "secretKey", publishableKey: "publishableKey" };
const envNames: Names = { secretKey: "CLERK_SECRET_KEY", publishableKey: "CLERK_PUBLISHABLE_KEY" };

/** Checks the org's pair, also as an app's own SDK uses it; only a development instance may be lent. */
export async function validateOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<ValidationResult> {
  const shape = malformedField(clerkSpec.orgFields, fields);
  if (shape !== undefined) return shape;
  const pair = readPair(orgNames, fields);
  if ("status" in pair) return pair;
  return liveKey(pair) ?? checkPair(context, pair, countUsersWithSdk);
}

/** Checks a user's or a lease's values; live instances are welcome. Every call goes over the context's fetch. */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  const shape = malformedField(clerkSpec.env, values);
  if (shape !== undefined) return shape;
  const pair = readPair(envNames, values);
  if ("status" in pair) return pair;
  const result = await checkPair(context, pair, countUsers);
  if (result.status !== "valid") return result;
  // Clerk gives an instance no name; a person knows it by its host.
  return {
    ...result,
    account: pair.publishable.host,
    warnings: result.mode === "test" ? [developmentWarning] : [],
  };
}

const developmentWarning =
  "These are keys of a development instance: it takes 100 users at most. For real users make a production instance.";

function readPair(names: Names, values: SecretValues): Pair | ValidationResult {
  const publishable = decodePublishableKey(requireField(values, names.publishableKey));
  if (publishable === undefined) {
    return invalid(
      names.publishableKey,
      "malformed",
      "This publishable key is incomplete: it names no host.",
      `Copy the whole publishable key again: ${keysPage}`,
    );
  }
  return { names, secretKey: requireField(values, names.secretKey), publishable };
}

async function checkPair(
  context: ConnectorContext,
  pair: Pair,
  count: CountUsers,
): Promise<ValidationResult> {
  const { names, secretKey, publishable } = pair;
  if (keyModeOf(secretKeyForm, secretKey) !== publishable.mode)
    return wrongPair(names, "One key is for testing, the other live.");
  try {
    const instance = await readInstance(context, secretKey);
    if ((instance.environment === "production") !== (publishable.mode === "live")) {
      const kind = instance.environment === "production" ? "production" : "development";
      return invalid(
        names.secretKey,
        "wrong_mode",
        `The key belongs to a ${kind} instance, which its beginning does not say.`,
        `Copy both keys again from one instance: ${keysPage}`,
      );
    }
    const [, belongs] = await Promise.all([
      count(context, secretKey),
      belongsToInstance(context, secretKey, publishable),
    ]);
    if (!belongs) return wrongPair(names, "The two keys belong to two different instances.");
    return {
      status: "valid",
      account: instance.id,
      mode: publishable.mode,
      capabilities: capabilityNames.map((name) => ({ name, state: "works" })),
      warnings: [],
    };
  } catch (error) {
    return answerOf(error, names);
  }
}

const capabilityNames = ["Can read the instance", "Can read users", "Both keys are of one instance"];

function answerOf(error: unknown, names: Names): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  // Every genuine key may make these calls, so any other answer tells about the provider, not the key.
  if (error.code !== "unauthorized" && error.code !== "forbidden") return undetermined(error);
  return invalid(
    names.secretKey,
    "rejected",
    "Clerk refuses the secret key.",
    `It may be deleted or incomplete: add a new one and copy it whole: ${keysPage}`,
  );
}

function liveKey({ names, secretKey, publishable }: Pair): ValidationResult | undefined {
  const secretIsLive = keyModeOf(secretKeyForm, secretKey) === "live";
  if (!secretIsLive && publishable.mode !== "live") return undefined;
  return invalid(
    secretIsLive ? names.secretKey : names.publishableKey,
    "wrong_mode",
    "Clerk live keys administer the whole instance.",
    "Lend a development instance: its keys start with sk_test_ and pk_test_.",
  );
}

function wrongPair(names: Names, message: string): ValidationResult {
  const remedy = `Copy both keys again from the API keys page of one instance: ${keysPage}`;
  return invalid(names.publishableKey, "wrong_pair", message, remedy);
}
