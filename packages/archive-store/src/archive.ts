import { BrokerError } from "@keyloan/contract";

/** What was put: its length, and SHA-256 in hex. */
export type StoredArchive = { readonly bytes: number; readonly sha256: string };

/**
 * Keeps sealed archives under their archive ids. Every call throws BrokerError `unavailable` when the store does
 * not do it, without the store's own words.
 */
export type ArchiveStore = {
  /** All or nothing: what fails or is ended half-way leaves nothing under the name. A name is used once. */
  readonly put: (
    name: string,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ) => Promise<StoredArchive>;
  /** Throws BrokerError `not_found` at its first step when there is none. */
  readonly get: (name: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Also what a crash left half-written under the name. Gone is success. */
  readonly remove: (name: string, signal: AbortSignal) => Promise<void>;
  /** Every archive that is there or was begun, a name perhaps twice; what is not named as one is passed over. */
  readonly list: (signal: AbortSignal) => AsyncIterable<string>;
};

/** A folder or a bucket: the same with names that are known to be archive ids, and with errors of its own. */
export type ArchivePlace = {
  readonly put: (name: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  readonly get: ArchiveStore["get"];
  /** Gives whether it is gone. */
  readonly remove: (name: string, signal: AbortSignal) => Promise<boolean>;
  /** All names, also of what is no archive. */
  readonly list: ArchiveStore["list"];
  /** An errno or a status for what the place itself did not do, and `undefined` for every other error. */
  readonly codeOf: (error: unknown) => string | undefined;
  readonly remedyOf: (code: string) => string;
};

export function missing(): never {
  throw new BrokerError("not_found", "the archive is not in the store of archives", {
    remedy: "Restore the folder or bucket of archives from its backup.",
  });
}
