import { createHash, type Hash } from "node:crypto";
import type { ChunkSigner } from "../auth/verify-signature.ts";
import { headerOrQuery, type S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import { incomplete } from "./byte-reader.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumBytes,
  createChecksum,
} from "./checksum.ts";

export type BodyFacts = {
  readonly bytes: number;
  readonly md5: Buffer;
  /** The checksum that the client sent, after it was verified. */
  readonly checksum: Checksum | undefined;
};

/** What the request's checksum headers are the checksum of. */
export type ChecksumSubject = "of_body" | "of_object";

/** A body that has not been read yet. */
export type RequestBody = {
  /** Bytes of data, without chunk framing. */
  readonly length: number;
  /**
   * Passes the data on chunk by chunk, and at the end verifies everything that the client declared about it.
   * @throws S3Error if a length, hash, chunk signature or checksum is wrong
   */
  readonly read: (write: (chunk: Buffer) => Promise<void> | void) => Promise<BodyFacts>;
};

type BodySource = {
  readonly request: S3Request;
  readonly payload: string;
  readonly chunkSigner: ChunkSigner;
  readonly source: () => AsyncIterable<Buffer>;
};

const streamingPayloads: ReadonlyMap<string, { signed: boolean; hasTrailer: boolean }> = new Map([
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", { signed: true, hasTrailer: false }],
  ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { signed: true, hasTrailer: true }],
  ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", { signed: false, hasTrailer: true }],
]);

/**
 * Prepares the body of an authenticated request.
 * @throws S3Error for a missing or too large length, an unknown kind of payload hash, or unusable checksum headers
 */
export function openBody(
  from: BodySource,
  bytesMax: number,
  checksums: ChecksumSubject = "of_body",
): RequestBody {
  const { request, payload } = from;
  const streaming = streamingPayloads.get(payload);
  if (streaming === undefined && payload !== "UNSIGNED-PAYLOAD" && !/^[0-9a-f]{64}$/.test(payload)) {
    throw new S3Error("InvalidArgument", "x-amz-content-sha256 is not a SHA-256 or a known mode.");
  }
  const length = declaredLength(request, streaming !== undefined);
  if (length > bytesMax) throw new S3Error("EntityTooLarge", `The body is larger than ${bytesMax} bytes.`);
  const expected = readExpectations(request, streaming?.hasTrailer === true, checksums);
  return {
    length,
    read: async (write) => {
      let trailers: ReadonlyMap<string, string> = new Map();
      const raw = from.source();
      const data =
        streaming === undefined
          ? raw
          : decodeAwsChunked(raw, {
              hasTrailer: streaming.hasTrailer,
              onTrailers: (found) => {
                trailers = found;
              },
              ...(streaming.signed ? { signer: from.chunkSigner } : {}),
            });
      const sums = createSums(streaming === undefined ? payload : undefined, expected.algorithm);
      let bytes = 0;
      for await (const chunk of data) {
        bytes += chunk.length;
        if (bytes > length) throw incomplete();
        for (const sum of sums.all) sum.update(chunk);
        await write(chunk);
      }
      if (bytes !== length) throw incomplete();
      return { bytes, ...prove(sums, expected, trailers, payload) };
    },
  };
}

function declaredLength(request: S3Request, isStreaming: boolean): number {
  const text = request.headers.get(isStreaming ? "x-amz-decoded-content-length" : "content-length");
  if (text === undefined) throw new S3Error("MissingContentLength", "The length of the body must be given.");
  if (!/^\d{1,15}$/.test(text)) throw new S3Error("InvalidArgument", "The length of the body is no number.");
  return Number(text);
}

type Expectations = {
  readonly md5: string | undefined;
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** `undefined` if the value arrives in a trailer. */
  readonly value: string | undefined;
};

function readExpectations(request: S3Request, hasTrailer: boolean, checksums: ChecksumSubject): Expectations {
  const md5 = request.headers.get("content-md5");
  if (md5 !== undefined && !isBase64Of(md5, 16)) throw invalidDigest();
  const given = checksumAlgorithms.filter(
    (algorithm) =>
      checksums === "of_body" && headerOrQuery(request, `x-amz-checksum-${algorithm}`) !== undefined,
  );
  const declared = request.headers.get("x-amz-trailer")?.trim().toLowerCase();
  const announced = checksumAlgorithms.filter(
    (algorithm) => hasTrailer && declared === `x-amz-checksum-${algorithm}`,
  );
  if (hasTrailer && declared !== undefined && announced.length === 0) {
    throw new S3Error("InvalidRequest", "x-amz-trailer must name one checksum.");
  }
  const [algorithm, ...more] = [...given, ...announced];
  if (more.length > 0) throw new S3Error("InvalidRequest", "Only one checksum may be given.");
  const value = given[0] === undefined ? undefined : headerOrQuery(request, `x-amz-checksum-${given[0]}`);
  if (value !== undefined && algorithm !== undefined && !isBase64Of(value, checksumBytes[algorithm])) {
    throw invalidDigest();
  }
  return { md5, algorithm, value };
}

type Sums = ReturnType<typeof createSums>;

function createSums(payload: string | undefined, algorithm: ChecksumAlgorithm | undefined) {
  const md5 = createHash("md5");
  const sha256 = payload === undefined || payload === "UNSIGNED-PAYLOAD" ? undefined : createHash("sha256");
  const checksum = algorithm === undefined ? undefined : createChecksum(algorithm);
  const all: { update: (bytes: Buffer) => unknown }[] = [md5];
  if (sha256 !== undefined) all.push(sha256);
  if (checksum !== undefined) all.push(checksum);
  return { md5, sha256, checksum, all };
}

function prove(
  sums: Sums,
  expected: Expectations,
  trailers: ReadonlyMap<string, string>,
  payload: string,
): { md5: Buffer; checksum: Checksum | undefined } {
  if (sums.sha256 !== undefined && hex(sums.sha256) !== payload) throw badDigest("x-amz-content-sha256");
  const md5 = sums.md5.digest();
  if (expected.md5 !== undefined && md5.toString("base64") !== expected.md5) throw badDigest("Content-MD5");
  const { algorithm } = expected;
  if (algorithm === undefined) return { md5, checksum: undefined };
  const name = `x-amz-checksum-${algorithm}`;
  const value = sums.checksum?.digest() ?? "";
  if ((expected.value ?? trailers.get(name)) !== value) throw badDigest(name);
  return { md5, checksum: { algorithm, value } };
}

const hex = (hash: Hash) => hash.digest("hex");

const isBase64Of = (text: string, bytes: number) =>
  Buffer.from(text, "base64").length === bytes && Buffer.from(text, "base64").toString("base64") === text;

const invalidDigest = () => new S3Error("InvalidDigest", "A checksum header cannot be read.");
const badDigest = (name: string) =>
  new S3Error("BadDigest", `The ${name} you specified did not match what we received.`);
