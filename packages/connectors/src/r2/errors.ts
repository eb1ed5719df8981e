import { ProviderError } from "@keyloan/contract";

export const provider = "r2";

export function invalidResponse(message = "the answer has an unexpected shape"): ProviderError {
  return new ProviderError(provider, "invalid_response", message);
}
