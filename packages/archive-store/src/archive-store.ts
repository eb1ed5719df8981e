import { idPattern } from "@keyloan/contract";
import { createFileStore } from "./file-store.ts";
import type { BucketOptions } from "./s3-bucket.ts";
import { createS3Store } from "./s3-store.ts";

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

export type ArchiveStoreOptions =
  | { readonly kind: "file"; readonly directory: string }
  | ({ readonly kind: "s3" } & BucketOptions);

/** The store of archives in a folder or a bucket. Nothing is made or asked before its first use. */
export function openArchiveStore(options: ArchiveStoreOptions): ArchiveStore {
  const store = options.kind === "file" ? createFileStore(options.directory) : createS3Store(options);
  return {
    put: (name, content, signal) => store.put(checked(name), content, signal),
    get: (name, signal) => store.get(checked(name), signal),
    remove: (name, signal) => store.remove(checked(name), signal),
    list: store.list,
  };
}

const namePattern = idPattern("archive");

export const isArchiveName = (name: string): boolean => namePattern.test(name);

/** A name becomes part of a path and of an object key, so it is an archive id and nothing else. */
function checked(name: string): string {
  if (!isArchiveName(name)) throw new Error("an archive is called by its id");
  return name;
}
