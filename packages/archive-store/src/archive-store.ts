import { type ArchiveStore, isArchiveName } from "./archive.ts";
import { createFileStore } from "./file-store.ts";
import type { BucketOptions } from "./s3-bucket.ts";
import { createS3Store } from "./s3-store.ts";

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

/** A name becomes part of a path and of an object key, so it is an archive id and nothing else. */
function checked(name: string): string {
  if (!isArchiveName(name)) throw new Error("an archive is called by its id");
  return name;
}
