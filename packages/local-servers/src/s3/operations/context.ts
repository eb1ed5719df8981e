import type { FileHandle } from "node:fs/promises";
import type { ChecksumSubject, RequestBody } from "../body/request-body.ts";
import type { S3Policy } from "../policy.ts";
import type { S3Request } from "../request.ts";
import type { Bucket } from "../store/bucket.ts";

/** What an operation gets: an authenticated request to a bucket that exists. */
export type BucketContext = {
  readonly request: S3Request;
  readonly policy: S3Policy;
  readonly bucketName: string;
  readonly bucket: Bucket;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly limits: S3Limits;
  readonly nowMs: () => number;
  /** Opens the body, which may have at most `bytesMax` bytes. */
  readonly openBody: (bytesMax: number, checksums?: ChecksumSubject) => RequestBody;
};

/** A bucket context with a key for which the sender is authorized. */
export type ObjectContext = BucketContext & { readonly key: string };

/** Sizes in bytes. */
export type S3Limits = {
  /** The most for one request: for a whole object or for a part. */
  readonly uploadBytesMax: number;
  /** The least for every part except the last. */
  readonly partBytesMin: number;
  /** The most entries on one page of a listing, and the most keys that one call deletes; a count, not bytes. */
  readonly entriesMax: number;
  /** The most for a whole bucket, including unfinished uploads; R2 has no such limit, other stores do. */
  readonly bucketBytesMax?: number;
};

/** Part of an open file; the code that sends it closes the handle. */
export type FilePart = { readonly handle: FileHandle; readonly start: number; readonly length: number };

export type S3Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | FilePart;
};

export function xmlAnswer(body: string, headers: Readonly<Record<string, string>> = {}): S3Answer {
  return { status: 200, headers: { "content-type": "application/xml", ...headers }, body };
}

export const quote = (etag: string) => `"${etag}"`;
