import { toFailure } from "../../queue/failure.ts";
import type { Failure } from "../../queue/outcome.ts";
import { sealedWrong } from "../../sealed-wrong.ts";

/** Why a database could not be archived or restored. */
export function toDatabaseError(error: unknown, connectorId: string): Failure {
  const known = toFailure(sealedWrong(error) ?? error, connectorId);
  if (known !== undefined) return known;
  const isLate = error instanceof DOMException && error.name === "TimeoutError";
  return {
    provider: connectorId,
    code: isLate ? "timeout" : "internal",
    message: isLate ? "it exceeded the time limit" : "something went wrong on our side",
    remedy: "Try again; the broker's log has the details.",
    retryable: isLate,
  };
}
