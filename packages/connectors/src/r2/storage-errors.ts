import { ProviderError, type ProviderErrorCode } from "@keyloan/contract";
import { BlockedAddress } from "../kit/http.ts";
import { provider } from "./errors.ts";

/** Where something failed while objects are moved. */
export type Place = "storage" | "source" | "target";

/** An object was written to, or removed, while it was read. Reading may begin anew. */
export class ChangedUnderway extends ProviderError {}

export const changedUnderway = () =>
  new ChangedUnderway(provider, "conflict", "gave an object that changed while it was read");

export const unpackedUnderway = () =>
  new ProviderError(provider, "rejected", "alters a packed object on its way", {
    remedy:
      "An object is stored with a Content-Encoding and comes unpacked: store it without one, then start again.",
  });

export const unsendableKey = () =>
  new ProviderError(provider, "rejected", "cannot be sent this key over HTTP", {
    remedy:
      "An object's key has . or .. between slashes, is empty, or is longer than 1024 bytes: rename it, then start again.",
  });

export const wrongBytes = () =>
  new ProviderError(provider, "invalid_response", "holds other bytes than were sent", {
    remedy: "Start again; if it happens once more, the store or something before it alters what it is sent.",
  });

/**
 * The error as whoever moves objects is told it: of which of the two ends, and how to fix that, since the keys
 * are those of a build or of a user and never the org's.
 */
export function storageError(error: unknown, place: Place): unknown {
  if (!(error instanceof ProviderError) || error instanceof BlockedAddress) return error;
  const { code, status, requestId, retryAfterSeconds } = error;
  const remedy = remedies[code] ?? error.remedy;
  return new ProviderError(provider, code, `${error.message} (the ${place} of the files)`, {
    remedy,
    ...(status === undefined ? {} : { status }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

const remedies: Partial<Readonly<Record<ProviderErrorCode, string>>> = {
  unauthorized:
    "Its keys are refused: they may be replaced, deleted or expired. Save current ones, then start again.",
  forbidden: "Its keys may not do this: give them Object Read & Write on the bucket, then start again.",
  not_found: "Its bucket or an object of it is gone: check the bucket's name, then start again.",
  quota_exceeded: "It is full: make room there or raise its plan, then start again.",
  conflict: "The app writes to an object while it is read: stop it for as long as files are moved.",
};
