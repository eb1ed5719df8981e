import { BrokerError, ProviderError } from "@keyloan/contract";
import type { StoredLeaseError } from "@keyloan/store";
import type { Failure } from "./outcome.ts";

/** What is kept and shown of a provider's failure. */
export function toStoredError(error: ProviderError): StoredLeaseError {
  return {
    provider: error.provider,
    code: error.code,
    message: `${error.provider} ${error.message}`,
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    remedy: error.remedy,
    retryable: error.retryable,
  };
}

/** The same of our own. @param provider whom it was about */
export function toStoredRefusal(error: BrokerError, provider: string): StoredLeaseError {
  const { code, message, remedy = "Try again." } = error;
  return { provider, code, message, remedy, retryable: code === "unavailable" };
}

/** A failure of a run; `undefined` for what is neither a provider's nor ours. */
export function toFailure(error: unknown, provider: string): Failure | undefined {
  if (!(error instanceof ProviderError) && !(error instanceof BrokerError)) return undefined;
  const stored = error instanceof ProviderError ? toStoredError(error) : toStoredRefusal(error, provider);
  const { retryAfterSeconds } = error;
  return retryAfterSeconds === undefined ? stored : { ...stored, retryAfterSeconds };
}
