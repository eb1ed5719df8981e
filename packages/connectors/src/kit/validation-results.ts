import {
  type EnvVarSpec,
  type FieldSpec,
  ProviderError,
  type SecretValues,
  type ValidationResult,
} from "@keyloan/contract";
import { isTyped } from "./check-own-values.ts";
import { BlockedAddress } from "./http.ts";

/**
 * The validator's answer when a provider could not be asked.
 * @throws the error itself when it says something about the key: the caller decides what that is
 */
export function undeterminedFrom(error: unknown): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  const retryAfter =
    error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds };
  const message = `${error.provider} ${error.message}`;
  if (error instanceof BlockedAddress) return { status: "undetermined", code: "blocked_address", message };
  switch (error.code) {
    case "timeout":
      return { status: "undetermined", code: "timeout", message, ...retryAfter };
    case "rate_limited":
      return { status: "undetermined", code: "rate_limited", message, ...retryAfter };
    case "network":
    case "unavailable":
    case "invalid_response":
      return { status: "undetermined", code: "provider_down", message, ...retryAfter };
    default:
      throw error;
  }
}

/**
 * The answer for the first field that is missing or does not have its form; `undefined` when all do.
 * Asked before any network call, so that a slip of the pen never reaches a provider. What nobody types
 * may be missing: it is filled in where the values are used.
 */
export function malformedField(
  fields: readonly (FieldSpec & Pick<EnvVarSpec, "own">)[],
  values: SecretValues,
): ValidationResult | undefined {
  for (const field of fields) {
    const value = values[field.name]?.reveal();
    if (value === undefined && (field.optional === true || !isTyped(field))) continue;
    if (value !== undefined && new RegExp(field.pattern ?? "").test(value)) continue;
    return {
      status: "invalid",
      envVar: field.name,
      code: "malformed",
      message: `${field.name} ${value === undefined ? "is missing" : "does not have the form of this value"}`,
      remedy: field.help ?? `Copy the whole ${field.label.toLowerCase()} again, without spaces around it.`,
    };
  }
  return undefined;
}
