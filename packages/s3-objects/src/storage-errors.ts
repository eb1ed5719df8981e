import { ProviderError, type ProviderErrorCode } from "@keyloan/contract";

/** Where an error happened while objects were moved. */
export type Place = "storage" | "source" | "target";

/** An object was replaced or removed while it was read. Reading may start again. */
export class ChangedUnderway extends ProviderError {}

export const changedUnderway = (store: string) =>
  new ChangedUnderway(store, "conflict", "returned an object that changed while it was read");

export const unpackedUnderway = (store: string) =>
  new ProviderError(store, "rejected", "alters a packed object in transit", {
    remedy:
      "An object is stored with a Content-Encoding but arrives unpacked: store it without one, then start again.",
  });

export const unsendableKey = (store: string) =>
  new ProviderError(store, "rejected", "cannot be sent this key over HTTP", {
    remedy:
      "An object's key has . or .. between slashes, is empty, or is longer than 1024 bytes: rename it, then start again.",
  });

export const tooLarge = (store: string) =>
  new ProviderError(store, "rejected", "has an object that is too large to move", {
    remedy: "An object is larger than 625 GiB: copy it with your own tool, and remove it here first.",
  });

export const wrongBytes = (store: string) =>
  new ProviderError(store, "invalid_response", "holds different bytes than were sent", {
    remedy:
      "Start again; if it happens again, the store or something in front of it alters the data that it receives.",
  });

export type Remedies = Partial<Readonly<Record<ProviderErrorCode, string>>>;

/**
 * An error as it is reported to the person who moves objects: it names the end that failed, and how to fix it, because
 * the keys are those of a build or of a user and never the org's.
 */
export class StorageError extends ProviderError {
  constructor(error: ProviderError, place: Place, own: Remedies = {}) {
    const { provider, code, status, requestId, retryAfterSeconds } = error;
    super(provider, code, `${error.message} (the ${place} of the files)`, {
      remedy: own[code] ?? remedies[code] ?? error.remedy,
      ...(status === undefined ? {} : { status }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
}

const remedies: Remedies = {
  unauthorized:
    "Its keys are refused: they may be replaced, deleted or expired. Save current ones, then start again.",
  forbidden:
    "Its keys lack a permission for this: allow them to read, write, list and delete in the bucket, then start again.",
  not_found: "Its bucket or one of its objects is gone: check the bucket's name, then start again.",
  quota_exceeded: "It is full: free some space there or upgrade its plan, then start again.",
  conflict: "The app writes to an object while it is being read: stop the app while files are moved.",
};
