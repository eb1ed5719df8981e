import {
  type ConnectorContext,
  keyModeOf,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { checkValues, invalid } from "../kit/validation-results.ts";
import { countUsersWithSdk, openClerk } from "./client.ts";
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
  return checkValues(clerkSpec.orgFields, fields, refusalsOf(orgNames), async () => {
    const pair = readPair(orgNames, fields);
    return "status" in pair ? pair : (liveKey(pair) ?? checkPair(context, pair, countUsersWithSdk));
  });
}

/** Checks a user's or a lease's values; live instances are welcome. Every call goes over the context's fetch. */
export async function validate(context: ConnectorContext, values: SecretValues): Promise<ValidationResult> {
  return checkValues(clerkSpec.env, values, refusalsOf(envNames), async () => {
    const pair = readPair(envNames, values);
    if ("status" in pair) return pair;
    const result = await checkPair(context, pair, (given, key) => openClerk(given, key).countUsers());
    if (result.status !== "valid") return result;
    // Clerk gives an instance no name; a person knows it by its host.
    const warnings = result.mode === "test" ? [developmentWarning] : [];
    return { ...result, account: pair.publishable.host, warnings };
  });
}

const developmentWarning =
  "These keys belong to a development instance, which allows at most 100 users. For real users, make a production instance.";

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
    return wrongPair(names, "One key is a test key, the other a live key.");
  const instance = await openClerk(context, secretKey).readInstance();
  if ((instance.environment === "production") !== (publishable.mode === "live")) {
    const kind = instance.environment === "production" ? "production" : "development";
    return invalid(
      names.secretKey,
      "wrong_mode",
      `The key belongs to a ${kind} instance, but its beginning says something else.`,
      `Copy both keys again from the same instance: ${keysPage}`,
    );
  }
  const [, belongs] = await Promise.all([
    count(context, secretKey),
    belongsToInstance(context, secretKey, publishable),
  ]);
  if (!belongs) return wrongPair(names, "The two keys belong to different instances.");
  return {
    status: "valid",
    account: instance.id,
    mode: publishable.mode,
    capabilities: capabilityNames.map((name) => ({ name, state: "works" })),
    warnings: [],
  };
}

const capabilityNames = ["Can read the instance", "Can read users", "Both keys belong to the same instance"];

// Every genuine key may make these calls: 401 alone speaks of the key, everything else of the provider.
const refusalsOf = (names: Names) => ({
  unauthorized: invalid(
    names.secretKey,
    "rejected",
    "Clerk refuses the secret key.",
    `It may be deleted or incomplete: add a new one and copy it whole: ${keysPage}`,
  ),
});

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
  const remedy = `Copy both keys again from the API keys page of the same instance: ${keysPage}`;
  return invalid(names.publishableKey, "wrong_pair", message, remedy);
}
