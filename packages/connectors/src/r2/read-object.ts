import { createHash } from "node:crypto";
import type { HashedVersion } from "@keyloan/contract";
import { invalidResponse } from "./errors.ts";
import type { StorageClient } from "./storage-client.ts";
import { changedUnderway } from "./storage-errors.ts";

export type ObjectHash = { readonly bytes: number; readonly sha256: string };

/**
 * Reads an object whole, a piece at a time; `undefined` when there is none.
 * @throws ChangedUnderway when it changed meanwhile, ProviderError
 */
export async function hashObject(store: StorageClient, key: string): Promise<HashedVersion | undefined> {
  const first = await store.read(key, 0);
  if (first === undefined) return undefined;
  const { etag, total } = first;
  const hash = createHash("sha256").update(first.bytes);
  for await (const piece of readPieces(store, key, { etag, bytes: total }, first.bytes.length)) {
    hash.update(piece);
  }
  return { bytes: total, sha256: hash.digest("hex"), version: etag };
}

/**
 * The bytes of one version of an object from a place on, in pieces of one size but the last.
 * @throws ChangedUnderway when there is no such version any more, ProviderError
 */
export async function* readPieces(
  store: StorageClient,
  key: string,
  { etag, bytes }: { readonly etag: string; readonly bytes: number },
  start: number,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < bytes; ) {
    const piece = await store.read(key, at, etag);
    if (piece === undefined) throw changedUnderway();
    if (piece.total !== bytes) throw invalidResponse("tells two sizes of one object");
    at += piece.bytes.length;
    yield piece.bytes;
  }
}

/** The same bytes in the buffers by turns, each full but the last one, which is cut to what is left. */
export async function* fillBuffers(
  pieces: AsyncIterable<Uint8Array>,
  buffers: readonly [Buffer, Buffer],
): AsyncGenerator<Buffer> {
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
}
