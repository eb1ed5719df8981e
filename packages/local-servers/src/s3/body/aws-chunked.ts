import { createHash } from "node:crypto";
import type { ChunkSigner } from "../auth/verify-signature.ts";
import { S3Error } from "../s3-error.ts";
import { type ByteReader, createByteReader, incomplete } from "./byte-reader.ts";

export type ChunkedOptions = {
  /** Present when each chunk carries a signature. */
  readonly signer?: ChunkSigner;
  readonly hasTrailer: boolean;
  /** Called once, at the end, when there are trailers. */
  readonly onTrailers: (trailers: ReadonlyMap<string, string>) => void;
};

/**
 * The data inside an `aws-chunked` body ("Signature calculations for the authorization header:
 * transferring payload in multiple chunks"). A wrong chunk signature throws before the stream ends, so
 * a caller must keep the data only if the stream ended without an error.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  options: ChunkedOptions,
): AsyncGenerator<Buffer> {
  const reader = createByteReader(source);
  for (;;) {
    const { size, signature } = readChunkHeader(await reader.readLine());
    const hash = options.signer === undefined ? undefined : createHash("sha256");
    for (let left = size; left > 0; ) {
      const part = await reader.readSome(left);
      left -= part.length;
      hash?.update(part);
      yield part;
    }
    if (hash !== undefined && options.signer?.verifyChunk(hash.digest("hex"), signature) !== true) {
      throw badSignature();
    }
    if (size === 0) break;
    if ((await reader.readLine()) !== "") throw new S3Error("InvalidRequest", "A chunk has no end.");
  }
  if (options.hasTrailer) options.onTrailers(await readTrailers(reader, options.signer));
  await readToEnd(reader);
}

function readChunkHeader(line: string | undefined) {
  if (line === undefined) throw incomplete();
  const parts = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (parts === null) throw new S3Error("InvalidRequest", "A chunk header cannot be read.");
  return { size: Number.parseInt(parts[1] ?? "", 16), signature: parts[2] ?? "" };
}

async function readTrailers(reader: ByteReader, signer: ChunkSigner | undefined) {
  const trailers = new Map<string, string>();
  for (;;) {
    const line = await reader.readLine();
    // Some clients put an empty line between the trailers and their signature.
    if (line === "" && signer !== undefined) continue;
    if (line === undefined || line === "") {
      if (signer !== undefined) throw badSignature();
      return trailers;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "x-amz-trailer-signature" && signer !== undefined) {
      if (!signer.verifyTrailer(hashTrailers(trailers), value)) throw badSignature();
      return trailers;
    }
    if (colon < 1 || trailers.size >= 8) throw new S3Error("InvalidRequest", "A trailer cannot be read.");
    trailers.set(name, value);
  }
}

function hashTrailers(trailers: ReadonlyMap<string, string>): string {
  const lines = [...trailers].map(([name, value]) => `${name}:${value}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

async function readToEnd(reader: ByteReader): Promise<void> {
  for (let lines = 0; lines < 4; lines++) {
    const line = await reader.readLine();
    if (line === undefined) return;
    if (line !== "") break;
  }
  throw incomplete();
}

const badSignature = () => new S3Error("SignatureDoesNotMatch", "The signature of a chunk does not match.");
