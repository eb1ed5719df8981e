import { BrokerError, ProviderError } from "@keyloan/contract";
import type { StoredLeaseError } from "@keyloan/store";
import { toStoredError } from "../../queue/failure.ts";
import { sealedWrong } from "../../sealed-wrong.ts";

/** What is kept and shown of why a database could not be archived or restored. */
export function toDatabaseError(error: unknown, connectorId: string): StoredLeaseError {
  if (error instanceof ProviderError) return toStoredError(error);
  const known = error instanceof BrokerError ? error : sealedWrong(error);
  if (known !== undefined) {
    const { code, message, remedy = "Try again." } = known;
    return { provider: connectorId, code, message, remedy, retryable: code === "unavailable" };
  }
  const isLate = error instanceof DOMException && error.name === "TimeoutError";
  return {
    provider: connectorId,
    code: isLate ? "timeout" : "internal",
    message: isLate ? "it took longer than it may" : "something went wrong on our side",
    remedy: "Try again; the broker's log tells more.",
    retryable: isLate,
  };
}
