import { BrokerError } from "@keyloan/contract";

/** The length of an archive that was stored, and its SHA-256 in hex. */
export type StoredArchive = { readonly bytes: number; readonly sha256: string };

/**
 * Stores sealed archives under their archive ids. Every call throws BrokerError `unavailable` if the store fails,
 * without the store's own message.
 */
export type ArchiveStore = {
  /** All or nothing: a call that fails or is aborted leaves nothing under the name. A name is used only once. */
  readonly put: (
    name: string,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ) => Promise<StoredArchive>;
  /** Its first step throws BrokerError `not_found` if there is no such archive. */
  readonly get: (name: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Also removes what a crash left half-written under the name. Succeeds if there is no such archive. */
  readonly remove: (name: string, signal: AbortSignal) => Promise<void>;
  /** The names of all complete and incomplete archives, a name perhaps twice; other names are skipped. */
  readonly list: (signal: AbortSignal) => AsyncIterable<string>;
};

/** A folder or a bucket. It has the same calls, but its names are already checked and its errors are its own. */
export type ArchivePlace = {
  readonly put: (name: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  readonly get: ArchiveStore["get"];
  /** Returns whether the archive is gone. */
  readonly remove: (name: string, signal: AbortSignal) => Promise<boolean>;
  /** All names, including those that are not archives. */
  readonly list: ArchiveStore["list"];
  /** A short text, such as an errno or a status, for an error of the place itself; `undefined` for any other error. */
  readonly codeOf: (error: unknown) => string | undefined;
  readonly remedyOf: (code: string) => string;
};

export function missing(): never {
  throw new BrokerError("not_found", "the archive is not in the store of archives", {
    remedy: "Restore the folder or bucket of archives from its backup.",
  });
}
