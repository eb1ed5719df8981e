import { createHmac, timingSafeEqual } from "node:crypto";
import type { S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { hashCanonicalRequest } from "./canonical-request.ts";
import type { Authentication } from "./parse-authentication.ts";

/** Verifies the signatures of body chunks in order: each signature depends on the one before. */
export type ChunkSigner = {
  /** Whether this is the signature of the next chunk, which has this hash. */
  readonly verifyChunk: (chunkHash: string, signature: string) => boolean;
  readonly verifyTrailer: (trailerHash: string, signature: string) => boolean;
};

const skewMsMax = 15 * 60 * 1000;
const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Refuses a request that was not signed with this secret, or whose signing time is not valid now.
 * @throws S3Error `RequestTimeTooSkewed`, `ExpiredRequest` or `SignatureDoesNotMatch`
 */
export function verifySignature(
  request: S3Request,
  authentication: Authentication,
  secretAccessKey: string,
  nowMs: number,
): ChunkSigner {
  checkTime(authentication, nowMs);
  const { timestamp, scope, signature } = authentication;
  const key = signingKey(secretAccessKey, scope);
  const canonicalHash = hashCanonicalRequest(request, authentication.signedHeaders, authentication.payload);
  const expected = hmacHex(key, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${canonicalHash}`);
  if (!equals(expected, signature)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
    );
  }
  return createChunkSigner(key, timestamp, scope, signature);
}

function checkTime({ timestamp, expiresSeconds }: Authentication, nowMs: number): void {
  const iso = timestamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const signedAt = Date.parse(iso);
  const isFuture = signedAt - nowMs > skewMsMax;
  if (Number.isNaN(signedAt) || isFuture || (expiresSeconds === undefined && nowMs - signedAt > skewMsMax)) {
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the server's time is too large.",
    );
  }
  if (expiresSeconds !== undefined && nowMs > signedAt + expiresSeconds * 1000) {
    throw new S3Error("ExpiredRequest", "Request has expired");
  }
}

function createChunkSigner(key: Buffer, timestamp: string, scope: string, seed: string): ChunkSigner {
  let previous = seed;
  const verify = (algorithm: string, hashes: string, signature: string) => {
    const expected = hmacHex(key, `${algorithm}\n${timestamp}\n${scope}\n${previous}\n${hashes}`);
    previous = expected;
    return equals(expected, signature);
  };
  return {
    verifyChunk: (hash, signature) =>
      verify("AWS4-HMAC-SHA256-PAYLOAD", `${hashOfNothing}\n${hash}`, signature),
    verifyTrailer: (hash, signature) => verify("AWS4-HMAC-SHA256-TRAILER", hash, signature),
  };
}

function signingKey(secretAccessKey: string, scope: string): Buffer {
  let key = Buffer.from(`AWS4${secretAccessKey}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  return key;
}

const hmacHex = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest("hex");

function equals(expected: string, given: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(Buffer.from(expected), bytes);
}
