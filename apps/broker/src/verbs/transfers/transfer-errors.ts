import { BrokerError, type Connector, ProviderError, type ProviderErrorCode } from "@keyloan/contract";
import { TransferFailure, type TransferSide } from "@keyloan/database-provisioner";
import type { StoredLeaseError } from "@keyloan/store";
import { toStoredError } from "../../queue/failure.ts";

/** What is kept of why a transfer ended, in words for the one who is moving the data. */
export function toTransferError(error: unknown, { spec: { id, label } }: Connector): StoredLeaseError {
  if (error instanceof TransferFailure) return sidedError(error.side, error.failure, label);
  // Only stopping the source is asked for without a side.
  if (error instanceof ProviderError) return { ...toStoredError(error), ...controlWords(error, label) };
  if (error instanceof BrokerError) {
    const { code, message, remedy = "Try again." } = error;
    return { provider: id, code, message, remedy, retryable: false };
  }
  return {
    provider: id,
    code: "internal",
    message: "something went wrong on our side",
    remedy: "Try again. If it happens again, tell the people who sent you the link.",
    retryable: false,
  };
}

/** A proven copy that nobody switched to in time. */
export function notSwitchedInTime({ spec: { id, label } }: Connector): StoredLeaseError {
  return {
    provider: id,
    code: "not_switched",
    message: `the copy for ${label} was not switched to in time, so your app keeps using the lent one`,
    remedy: "Move the data again, then switch within half an hour.",
    retryable: true,
  };
}

/** Whether the same may go well by itself in a moment. */
export function mayPass(error: unknown): boolean {
  const failure = error instanceof TransferFailure ? error.failure : error;
  return failure instanceof ProviderError && failure.retryable;
}

function sidedError(side: TransferSide, error: ProviderError, label: string): StoredLeaseError {
  const { message, remedy } = side === "target" ? targetWords(error.code, label) : sourceWords(error, label);
  return { ...toStoredError(error), message, remedy };
}

function targetWords(code: ProviderErrorCode, label: string): { message: string; remedy: string } {
  switch (code) {
    case "unauthorized":
    case "forbidden":
      return {
        message: `your key for ${label} was refused while the data was being moved`,
        remedy: "Check the key under “Your keys”: it must be allowed to read and write. Then move again.",
      };
    case "quota_exceeded":
      return {
        message: `there is not enough space in your ${label} account`,
        remedy: "Free some space there or choose a larger plan, then move again.",
      };
    case "rejected":
    case "conflict":
    case "not_found":
    case "invalid_response":
      return {
        message: `your ${label} account did not accept the data`,
        remedy: "Check whether the keys point to where the data should go, then move again.",
      };
    case "rate_limited":
    case "unavailable":
    case "timeout":
    case "network":
      return {
        message: `your ${label} account did not answer`,
        remedy: "Wait a little, then move again.",
      };
  }
}

function controlWords(error: ProviderError, label: string): { message: string; remedy: string } {
  return {
    message: `changes to the lent ${label} could not be stopped, so nothing was copied`,
    remedy: againWords(error),
  };
}

function againWords({ retryable }: ProviderError): string {
  return retryable
    ? "Wait a little, then move again."
    : "Move again. If it happens again, tell the people who sent you the link.";
}

function sourceWords(error: ProviderError, label: string): { message: string; remedy: string } {
  if (error.code === "rejected") {
    return {
      message: `the lent ${label} holds something that cannot be copied exactly: ${error.message}`,
      remedy: "Change that in your app's data, then move again; or download it as a file.",
    };
  }
  return { message: `the lent ${label} could not be read`, remedy: againWords(error) };
}
