import { createHash } from "node:crypto";
import { ProviderError } from "@keyloan/contract";
import type { ObjectFacts } from "./object-facts.ts";
import { type ObjectStore, onlyOver, type WriteOptions, type Written } from "./object-store.ts";
import { fillBuffers, hashObject, type ObjectHash } from "./read-object.ts";
import { pieceBytes } from "./read-piece.ts";
import { tooLarge, wrongBytes } from "./storage-errors.ts";
import { uploadParts, type WritableObject } from "./upload-parts.ts";

/** Told how many more bytes have arrived. */
export type OnBytes = (bytes: number) => void;

/**
 * What is to be copied.
 * @throws ProviderError, `not_found` when it is not there, `rejected` when it is too large
 */
export async function findObject(store: ObjectStore, key: string): Promise<ObjectFacts> {
  const facts = await store.head(key);
  if (facts === undefined) throw new ProviderError(store.name, "not_found", "has no such object");
  if (partBytesOf(facts.bytes) > partBytesMax) throw tooLarge(store.name);
  return facts;
}

/**
 * Writes the pieces of one version of an object. What arrived is proven: the target checks the SHA-256 of every request, and its
 * tag is that of the bytes sent, or else it is read back. What fails leaves neither parts nor a wrong object.
 * @param over the version at the target that may be replaced; absent: none
 * @returns `undefined` when something else is there
 * @throws ChangedUnderway when the source is no longer what it was found as, ProviderError
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
/** What is larger goes in parts: one request takes about as long as any other. S3 takes parts from 5 MiB on. */
const partBytesMin = 8 * mebibyte;
/** Two of them are held at a time. */
const partBytesMax = 64 * mebibyte;
/** S3's own limit ("Multipart upload limits"); some stores want all parts but the last of one size. */
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

/** While one part is sent the next is read: two parts and a piece are all that is ever held. */
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
  // The tag of an object in parts ("Multipart upload, ETags").
  await prove(target, written, { ...sent, etag: `${tags.digest("hex")}-${parts}` });
  return sent;
}

/**
 * That the target holds what was sent: by its own tag, which most make of the bytes, or by reading it back.
 * What is wrong there is removed, if it is what was written: somebody may have put something of theirs there since.
 */
async function prove(
  target: WritableObject,
  written: Written,
  sent: ObjectHash & { readonly etag: string },
): Promise<void> {
  // Where the target itself tells another checksum, nothing else is looked at.
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
