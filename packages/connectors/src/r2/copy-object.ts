import { createHash } from "node:crypto";
import { ProviderError } from "@keyloan/contract";
import { provider } from "./errors.ts";
import type { ObjectFacts } from "./object-facts.ts";
import { fillBuffers, hashObject, type ObjectHash, readPieces } from "./read-object.ts";
import { pieceBytes } from "./read-piece.ts";
import type { Written } from "./storage-client.ts";
import type { ObjectEnd } from "./storage-end.ts";
import { wrongBytes } from "./storage-errors.ts";
import { uploadParts } from "./upload-parts.ts";

/** Told how many more bytes have arrived. */
export type OnBytes = (bytes: number) => void;

/**
 * Copies one version of an object. What arrived is proven: the target checks the SHA-256 of every request, and its
 * tag is that of the bytes sent, or else it is read back. What fails leaves neither parts nor a wrong object.
 * @param over the version at the target that may be replaced; absent: none
 * @returns `undefined` when something else is there
 * @throws ChangedUnderway when the source changed meanwhile, ProviderError
 */
export async function copyObject(
  source: ObjectEnd,
  target: ObjectEnd,
  onBytes: OnBytes = () => {},
  over?: string,
): Promise<ObjectHash | undefined> {
  const facts = await source.store.head(source.key);
  if (facts === undefined) throw source.told(new ProviderError(provider, "not_found", "has no such object"));
  const partBytes = partBytesOf(facts.bytes);
  if (partBytes > partBytesMax) throw source.told(tooLarge());
  return facts.bytes <= partBytes
    ? copyWhole(source, target, { facts, over }, onBytes)
    : copyInParts(source, target, { facts, partBytes, over }, onBytes);
}

const mebibyte = 1024 * 1024;
/** What is larger goes in parts: one request takes about as long as any other. R2 takes parts from 5 MiB on. */
const partBytesMin = 8 * mebibyte;
/** Two of them are held at a time. */
const partBytesMax = 64 * mebibyte;
/** R2's own limit, and all parts but the last are of one size ("Multipart upload"). */
const partsMax = 10_000;

function partBytesOf(bytes: number): number {
  const needed = Math.ceil(bytes / partsMax / pieceBytes) * pieceBytes;
  return Math.max(partBytesMin, needed);
}

const tooLarge = () =>
  new ProviderError(provider, "rejected", "has an object too large to be moved", {
    remedy: "An object is larger than 625 GiB: copy it with a tool of your own, and remove it here before.",
  });

type Given = { readonly facts: ObjectFacts; readonly over: string | undefined };

async function copyWhole(
  source: ObjectEnd,
  target: ObjectEnd,
  { facts, over }: Given,
  onBytes: OnBytes,
): Promise<ObjectHash | undefined> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readPieces(source.store, source.key, facts, 0)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const sha256 = createHash("sha256").update(bytes).digest();
  const written = await target.store.put(target.key, bytes, sha256.toString("base64"), facts.headers, over);
  if (written === undefined) return undefined;
  const sent = { bytes: bytes.length, sha256: sha256.toString("hex") };
  const etag = createHash("md5").update(bytes).digest("hex");
  await prove(target, written, { ...sent, etag });
  onBytes(bytes.length);
  return sent;
}

/** While one part is sent the next is read: two parts and a piece are all that is ever held. */
async function copyInParts(
  source: ObjectEnd,
  target: ObjectEnd,
  { facts, partBytes, over }: Given & { readonly partBytes: number },
  onBytes: OnBytes,
): Promise<ObjectHash | undefined> {
  const whole = createHash("sha256");
  const tags = createHash("md5");
  let parts = 0;
  const written = await uploadParts(target, facts.headers, over, async (send) => {
    const pieces = readPieces(source.store, source.key, facts, 0);
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
 * That the target holds what was sent: by its own tag, which at R2 is made of the bytes, or by reading it back.
 * What is wrong there is removed, if it is what was written: somebody may have put something of theirs there since.
 */
async function prove(
  target: ObjectEnd,
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
  throw target.told(wrongBytes());
}
