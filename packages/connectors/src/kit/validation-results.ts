import { ProviderError, type ValidationResult } from "@keyloan/contract";

/**
 * The validator's answer when a provider could not be asked.
 * @throws the error itself when it says something about the key: the caller decides what that is
 */
export function undeterminedFrom(error: unknown): ValidationResult {
  if (!(error instanceof ProviderError)) throw error;
  const retryAfter =
    error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds };
  const message = `${error.provider} ${error.message}`;
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
