import { createHash } from "node:crypto";
import { ProviderError } from "@keyloan/contract";
import type { ObjectFacts } from "./object-facts.ts";
import { type ObjectStore, onlyOver, type WriteOptions, type Written } from "./object-store.ts";
import { fillBuffers, hashObject, type ObjectHash } from "./read-object.ts";
import { pieceBytes } from "./read-piece.ts";
import { tooLarge, wrongBytes } from "./storage-errors.ts";
import { uploadParts, type WritableObject } from "./upload-parts.ts";

/** Called with the number of bytes that have arrived since the last call. */
export type OnBytes = (bytes: number) => void;

/**
 * The facts of an object that is to be copied.
 * @throws ProviderError, `not_found` if it does not exist, `rejected` if it is too large
 */
export async function findObject(store: ObjectStore, key: string): Promise<ObjectFacts> {
  const facts = await store.head(key);
  if (facts === undefined) throw new ProviderError(store.name, "not_found", "has no such object");
  if (partBytesOf(facts.bytes) > partBytesMax) throw tooLarge(store.name);
  return facts;
}

/**
 * Writes the pieces of one version of an object, and verifies what arrived: the target checks the SHA-256 of every
 * request, and its ETag is that of the bytes sent, or else the object is read back. A failure leaves neither parts nor
 * a wrong object.
 * @param over the version at the target that may be replaced; absent: none
 * @returns `undefined` if the target has something else under this key
 * @throws ChangedUnderway if the source has changed since it was found, ProviderError
 */
export async function copyObject(
  pieces: AsyncIterable<Uint8Array>,
  facts: ObjectFacts,
  target: WritableObject,
  onBytes: OnBytes = () => {},
  over?: string,
): Promise<ObjectHash | undefined> {
  const partBytes = partBytesOf(facts.bytes);
  const options = { headers: facts.headers, condition: onlyOver(over) };
  return facts.bytes <= partBytes
    ? copyWhole(pieces, target, options, onBytes)
    : copyInParts(pieces, target, { ...facts, partBytes }, options, onBytes);
}

const mebibyte = 1024 * 1024;
/** Larger objects are sent in parts, so that all requests take about as long. S3 accepts parts of 5 MiB or more. */
const partBytesMin = 8 * mebibyte;
/** Two parts are held in memory at a time. */
const partBytesMax = 64 * mebibyte;
/** S3's own limit ("Multipart upload limits"); some stores require all parts except the last to have the same size. */
const partsMax = 10_000;

function partBytesOf(bytes: number): number {
  const needed = Math.ceil(bytes / partsMax / pieceBytes) * pieceBytes;
  return Math.max(partBytesMin, needed);
}

async function copyWhole(
  pieces: AsyncIterable<Uint8Array>,
  target: WritableObject,
  options: WriteOptions,
  onBytes: OnBytes,
): Promise<ObjectHash | undefined> {
  const held: Uint8Array[] = [];
  for await (const piece of pieces) held.push(piece);
  const bytes = Buffer.concat(held);
  const digest = createHash("sha256").update(bytes).digest();
  const sha256 = digest.toString("base64");
  const written = await target.store.put(target.key, bytes, { ...options, sha256 });
  if (written === undefined) return undefined;
  const sent = { bytes: bytes.length, sha256: digest.toString("hex") };
  const etag = createHash("md5").update(bytes).digest("hex");
  await prove(target, written, { ...sent, etag });
  onBytes(bytes.length);
  return sent;
}

/** Reads the next part while one is sent, so at most two parts and a piece are held in memory. */
async function copyInParts(
  pieces: AsyncIterable<Uint8Array>,
  target: WritableObject,
  { partBytes, ...facts }: ObjectFacts & { readonly partBytes: number },
  options: WriteOptions,
  onBytes: OnBytes,
): Promise<ObjectHash | undefined> {
  const whole = createHash("sha256");
  const tags = createHash("md5");
  let parts = 0;
  const written = await uploadParts(target, { ...options, isSummed: true }, async (send) => {
    const buffers = [Buffer.allocUnsafe(partBytes), Buffer.allocUnsafe(partBytes)] as const;
    for await (const part of fillBuffers(pieces, buffers)) {
      whole.update(part);
      tags.update(createHash("md5").update(part).digest());
      parts += 1;
      await send(part, () => onBytes(part.length));
    }
  });
  if (written === undefined) return undefined;
  const sent = { bytes: facts.bytes, sha256: whole.digest("hex") };
  // The ETag of an object that was uploaded in parts ("Multipart upload, ETags").
  await prove(target, written, { ...sent, etag: `${tags.digest("hex")}-${parts}` });
  return sent;
}

/**
 * Proves that the target holds what was sent: by its ETag, which most stores derive from the bytes, or by reading it
 * back. A wrong object is removed, but only if it is the written one: another client may have replaced it since.
 */
async function prove(
  target: WritableObject,
  written: Written,
  sent: ObjectHash & { readonly etag: string },
): Promise<void> {
  // If the target itself reports another checksum, nothing else is checked.
  const isTold =
    written.sha256 === undefined || written.sha256 === Buffer.from(sent.sha256, "hex").toString("base64");
  if (isTold && written.etag.replaceAll('"', "") === sent.etag) return;
  const found = isTold ? await hashObject(target.store, target.key) : undefined;
  if (found?.sha256 === sent.sha256 && found.bytes === sent.bytes) return;
  const store = await target.openForCleaning();
  const there = await store.head(target.key).catch(() => undefined);
  if (there?.etag === written.etag) await store.remove(target.key).catch(() => undefined);
  throw wrongBytes(target.store.name);
}
