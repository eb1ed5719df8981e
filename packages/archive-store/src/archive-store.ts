import { createHash } from "node:crypto";
import { BrokerError, idPattern } from "@keyloan/contract";
import type { ArchivePlace, ArchiveStore, StoredArchive } from "./archive.ts";
import { createFilePlace } from "./file-place.ts";
import { createS3Place, type S3Options } from "./s3-place.ts";

export type ArchiveStoreOptions =
  | { readonly kind: "file"; readonly directory: string }
  | ({ readonly kind: "s3" } & S3Options);

/** Opens the store of archives in a folder or a bucket. Nothing is created or requested before its first use. */
export function openArchiveStore(options: ArchiveStoreOptions): ArchiveStore {
  const place = options.kind === "file" ? createFilePlace(options.directory) : createS3Place(options);
  return {
    put: (name, content, signal) => put(place, checked(name), content, signal),
    get: (name, signal) => passOn(place, "read", signal, place.get(checked(name), signal)),
    remove: (name, signal) =>
      place.remove(checked(name), signal).then(
        (isGone) => {
          if (!isGone) throw unavailable(place, "removed", "it is still there");
        },
        failed(place, "removed", signal),
      ),
    list: async function* (signal) {
      for await (const name of passOn(place, "listed", signal, place.list(signal)))
        if (namePattern.test(name)) yield name;
    },
  };
}

const namePattern = idPattern("archive");

/** A name becomes part of a path and of an object key, so it must be an archive id. */
function checked(name: string): string {
  if (!namePattern.test(name)) throw new Error("an archive is called by its id");
  return name;
}

async function put(
  place: ArchivePlace,
  name: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<StoredArchive> {
  const hash = createHash("sha256");
  let bytes = 0;
  async function* counted() {
    for await (const piece of content) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
      signal.throwIfAborted();
    }
  }
  signal.throwIfAborted();
  await place.put(name, counted(), signal).catch(failed(place, "written", signal));
  return { bytes, sha256: hash.digest("hex") };
}

/** Passes the items on until they end, or throws once the signal is aborted. */
async function* passOn<T>(place: ArchivePlace, action: string, signal: AbortSignal, items: AsyncIterable<T>) {
  try {
    signal.throwIfAborted();
    for await (const item of items) {
      yield item;
      signal.throwIfAborted();
    }
  } catch (error) {
    failed(place, action, signal)(error);
  }
}

/** Only errors of the place become `unavailable`: errors of the content, or of the caller, are passed on unchanged. */
const failed = (place: ArchivePlace, action: string, signal: AbortSignal) => (error: unknown) => {
  signal.throwIfAborted();
  const code = place.codeOf(error);
  throw code === undefined ? error : unavailable(place, action, code);
};

const unavailable = (place: ArchivePlace, action: string, code: string) =>
  new BrokerError("unavailable", `the archive could not be ${action} (${code})`, {
    remedy: place.remedyOf(code),
  });
