import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { associatedData } from "./associated-data.ts";
import { type DataKey, dataCipher, dataKeyIdPattern } from "./data-key.ts";
import type { SealContext } from "./envelope.ts";
import { byteQueue, chunksOf } from "./stream-chunks.ts";
import { VaultError } from "./vault-error.ts";

const version = "keyloan/stream/v1";
const algorithm = "chacha20-poly1305";
const saltBytes = 32;
const tagBytes = 16;
// Version, a space, the longest data key id and a line end.
const headerLineBytesMax = version.length + 66;
/** Bytes of plaintext in every chunk but the last. A reader holds one chunk at a time. */
export const streamChunkBytes = 64 * 1024;

/**
 * Seals a stream of any length in chunks, each of which opens only in its place, under its data key, owner,
 * purpose and field. The data key may be closed as soon as this returns. The sealed stream's length reveals the
 * length of the plaintext.
 * @throws VaultError `wrong_owner`, `bad_context` or `key_closed`
 */
export function sealStream(
  key: DataKey,
  context: SealContext,
  plaintext: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  return sealWithSalt(key, context, plaintext, randomBytes(saltBytes));
}

/** @internal Give `salt` for test vectors only. */
export function sealWithSalt(
  key: DataKey,
  context: SealContext,
  plaintext: AsyncIterable<Uint8Array>,
  salt: Uint8Array,
): AsyncGenerator<Uint8Array, void, void> {
  const bound = boundTo(key, context);
  const chunkKey = chunkKeyOf(key[dataCipher].deriveKey(version), salt);
  return seal(chunkKey, bound, Buffer.concat([Buffer.from(`${version} ${key.id}\n`), salt]), plaintext);
}

/**
 * Opens what {@link sealStream} returned. Yields what was sealed, in order; only when it ends without an error is it
 * certain that this was all. The data key may be closed as soon as this returns.
 * @throws VaultError if the key, owner, purpose or field differs, or the stream was altered, cut or
 * lengthened, or its chunks reordered
 */
export function openStream(
  key: DataKey,
  context: SealContext,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  return open(key.id, key[dataCipher].deriveKey(version), boundTo(key, context), sealed);
}

async function* seal(
  chunkKey: Uint8Array,
  bound: Uint8Array,
  header: Uint8Array,
  plaintext: AsyncIterable<Uint8Array>,
) {
  try {
    yield header;
    let counter = 0;
    for await (const { bytes, isLast } of chunksOf(byteQueue(plaintext), streamChunkBytes)) {
      const cipher = createCipheriv(algorithm, chunkKey, nonceOf(counter++, isLast), {
        authTagLength: tagBytes,
      });
      cipher.setAAD(bound, { plaintextLength: bytes.length });
      yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    }
  } finally {
    chunkKey.fill(0);
  }
}

async function* open(
  dataKeyId: string,
  derived: Uint8Array,
  bound: Uint8Array,
  sealed: AsyncIterable<Uint8Array>,
) {
  const queue = byteQueue(sealed);
  let chunkKey: Uint8Array | undefined;
  try {
    checkHeader(await queue.line(headerLineBytesMax), dataKeyId);
    const salt = await queue.take(saltBytes);
    if (salt.length < saltBytes) throw new VaultError("malformed");
    chunkKey = chunkKeyOf(derived, salt);
    let counter = 0;
    for await (const { bytes, isLast } of chunksOf(queue, streamChunkBytes + tagBytes)) {
      const plain = openChunk(chunkKey, bound, counter, bytes, isLast);
      // Only an empty stream has an empty chunk, so that no two sealed streams open alike.
      if (plain.length === 0 && counter > 0) throw new VaultError("malformed");
      counter += 1;
      if (plain.length > 0) yield plain;
    }
  } finally {
    derived.fill(0);
    chunkKey?.fill(0);
    await queue.end();
  }
}

function openChunk(
  key: Uint8Array,
  bound: Uint8Array,
  counter: number,
  bytes: Uint8Array,
  isLast: boolean,
): Buffer {
  if (bytes.length < tagBytes) throw new VaultError("cannot_open");
  const length = bytes.length - tagBytes;
  const decipher = createDecipheriv(algorithm, key, nonceOf(counter, isLast), { authTagLength: tagBytes });
  decipher.setAAD(bound, { plaintextLength: length });
  decipher.setAuthTag(bytes.subarray(length));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, length)), decipher.final()]);
  } catch {
    throw new VaultError("cannot_open");
  }
}

function checkHeader(line: string | undefined, dataKeyId: string): void {
  const [, name, id = ""] = /^(keyloan\/stream\/v\d+) (.*)$/.exec(line ?? "") ?? [];
  if (name === undefined || !dataKeyIdPattern.test(id)) throw new VaultError("malformed");
  if (name !== version) throw new VaultError("unsupported_version");
  if (id !== dataKeyId) throw new VaultError("wrong_data_key");
}

function boundTo(key: DataKey, { purpose, ownerId, field }: SealContext): Uint8Array {
  if (ownerId !== key.ownerId) throw new VaultError("wrong_owner");
  return associatedData(version, key.id, purpose, ownerId, field);
}

/** A key for this stream only, so that a counter never gives the same nonce twice under one key. */
function chunkKeyOf(derived: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac("sha256", derived).update(salt).digest();
}

/** Eleven bytes of the chunk's number, then a byte that is 1 in the last chunk, as in age-encryption.org/v1 payloads. */
function nonceOf(counter: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(counter), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
