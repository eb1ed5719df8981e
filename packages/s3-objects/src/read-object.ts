import { createHash } from "node:crypto";
import type { HashedVersion } from "@keyloan/contract";
import { invalidResponse } from "./errors.ts";
import type { ObjectStore } from "./object-store.ts";
import { changedUnderway } from "./storage-errors.ts";

export type ObjectHash = { readonly bytes: number; readonly sha256: string };

type Version = { readonly etag: string; readonly bytes: number };

/** One version of an object, which can be read once, in pieces of the same size except the last. */
export type OpenedObject = Version & { readonly pieces: AsyncGenerator<Uint8Array, void, void> };

/**
 * Begins to read an object; `undefined` if there is none.
 * @throws ProviderError; so do the pieces, and ChangedUnderway if the object changed meanwhile
 */
export async function openObject(store: ObjectStore, key: string): Promise<OpenedObject | undefined> {
  const first = await store.read(key, 0);
  if (first === undefined) return undefined;
  const version = { etag: first.etag, bytes: first.total };
  async function* pieces(start: Uint8Array) {
    yield start;
    yield* readPieces(store, key, version, start.length);
  }
  return { ...version, pieces: pieces(first.bytes) };
}

/** Hashes a whole object, one piece at a time; see {@link openObject}. */
export async function hashObject(store: ObjectStore, key: string): Promise<HashedVersion | undefined> {
  const opened = await openObject(store, key);
  if (opened === undefined) return undefined;
  const hash = createHash("sha256");
  for await (const piece of opened.pieces) hash.update(piece);
  return { bytes: opened.bytes, sha256: hash.digest("hex"), version: opened.etag };
}

/**
 * The bytes of one version of an object from `start` on, in pieces of the same size except the last.
 * @throws ChangedUnderway if this version no longer exists, ProviderError
 */
export async function* readPieces(
  store: ObjectStore,
  key: string,
  { etag, bytes }: Version,
  start = 0,
): AsyncGenerator<Uint8Array, void, void> {
  for (let at = start; at < bytes; ) {
    const piece = await store.read(key, at, etag);
    if (piece === undefined) throw changedUnderway(store.name);
    if (piece.total !== bytes) throw invalidResponse(store.name, "tells two sizes of one object");
    at += piece.bytes.length;
    yield piece.bytes;
  }
}

/** The same bytes, in the two buffers alternately. Each result fills its buffer; the last one may be shorter. */
export async function* fillBuffers(
  pieces: AsyncIterable<Uint8Array>,
  buffers: readonly [Buffer, Buffer],
): AsyncGenerator<Buffer, undefined, void> {
  let [current, next] = buffers;
  let filled = 0;
  for await (const piece of pieces) {
    for (let taken = 0; taken < piece.length; ) {
      const part = piece.subarray(taken, taken + current.length - filled);
      current.set(part, filled);
      taken += part.length;
      filled += part.length;
      if (filled < current.length) continue;
      yield current;
      [current, next, filled] = [next, current, 0];
    }
  }
  if (filled > 0) yield current.subarray(0, filled);
  return undefined;
}
