import {
  type Capability,
  type ConnectorContext,
  type InvalidKeyCode,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { undeterminedFrom } from "../kit/validation-results.ts";
import { type AccountTokens, openAccountTokens } from "./account-tokens.ts";
import { findTokenFacts, makeParentKey } from "./lease-token.ts";
import { accountTokensPage } from "./spec.ts";

const capabilityName = "Can end credentials when a build closes";
const checkSeconds = 300;

/**
 * Does the org's API token do what ending credentials needs? It makes and deletes a token of five minutes.
 * A key without an API token is not a failure: the capability is then missing.
 */
export async function checkApiToken(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<Capability | ValidationResult> {
  const tokens = openAccountTokens(context, fields);
  if (tokens === undefined) return withoutApiToken;
  try {
    const facts = await findTokenFacts(tokens);
    const name = `keyloan-check-${Buffer.from(context.randomBytes(16)).toString("hex")}`;
    const expiresAtSeconds = Math.floor(context.now() / 1000) + checkSeconds;
    const { id } = await makeParentKey(tokens, { fields, facts }, name, expiresAtSeconds);
    await tokens.remove(id);
    return { name: capabilityName, state: "works" };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return explain(tokens, error).catch(undeterminedFrom);
  }
}

/**
 * What a refusal of the S3 key says of the whole key: it is dead only when its API token is refused as well, and
 * two that do not go together otherwise.
 */
export async function tellOfBoth(
  context: ConnectorContext,
  fields: SecretValues,
  refused: ValidationResult,
): Promise<ValidationResult> {
  const tokens = openAccountTokens(context, fields);
  if (tokens === undefined || refused.status !== "invalid") return refused;
  try {
    if (!(await tokens.isActive())) return refused;
    const message = `${refused.message} The API token next to it works.`;
    return { ...refused, code: "wrong_pair", message };
  } catch (error) {
    return undeterminedFrom(error);
  }
}

const withoutApiToken: Capability = {
  name: capabilityName,
  state: "missing",
  remedy: "Add an API token to the org key; until then a closed build's credentials work until they expire.",
  helpUrl: accountTokensPage,
};

async function explain(tokens: AccountTokens, error: ProviderError): Promise<ValidationResult> {
  switch (error.code) {
    case "unauthorized":
      return rejected;
    case "forbidden":
      // A token that is none is answered 403 as well.
      return (await tokens.isActive())
        ? invalid(
            "lacks_permission",
            "the API token is genuine but does not have permission to edit account API tokens",
            error,
          )
        : rejected;
    case "quota_exceeded":
      return invalid("lacks_permission", "the account has reached its limit of API tokens", error);
    case "rejected":
    case "not_found":
    case "conflict":
      if (error.status === undefined) return invalid("lacks_permission", `r2 ${error.message}`, error);
      return {
        status: "undetermined",
        code: "provider_down",
        message: `r2 ${error.message}, which says nothing about the API token`,
      };
    default:
      return undeterminedFrom(error);
  }
}

const invalid = (
  code: InvalidKeyCode,
  message: string,
  { remedy }: { readonly remedy: string },
): ValidationResult => ({ status: "invalid", envVar: "apiToken", code, message, remedy });

const rejected = invalid("rejected", "Cloudflare does not know this API token, or it has expired", {
  remedy: `Copy it again, or make a new one: ${accountTokensPage}`,
});
