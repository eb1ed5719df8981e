import type { FileHandle } from "node:fs/promises";
import type { ChecksumSubject, RequestBody } from "../body/request-body.ts";
import type { S3Policy } from "../policy.ts";
import type { S3Request } from "../request.ts";
import type { Bucket } from "../store/bucket.ts";

/** What an operation gets: a request whose sender is proven, on a bucket that exists. */
export type BucketContext = {
  readonly request: S3Request;
  readonly policy: S3Policy;
  readonly bucketName: string;
  readonly bucket: Bucket;
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly limits: S3Limits;
  readonly nowMs: () => number;
  /** The body, of at most so many bytes. */
  readonly openBody: (bytesMax: number, checksums?: ChecksumSubject) => RequestBody;
};

/** A bucket context whose key the sender may use for the operation. */
export type ObjectContext = BucketContext & { readonly key: string };

/** Sizes in bytes. */
export type S3Limits = {
  /** Of one request: an object put whole, or a part. */
  readonly uploadBytesMax: number;
  /** Of every part but the last. */
  readonly partBytesMin: number;
  /** How many entries a page of a listing holds, and one call deletes. */
  readonly entriesMax: number;
  /** Of all that a bucket holds, unfinished uploads with it; R2 has no such limit, other stores do. */
  readonly bucketBytesMax?: number;
};

/** Part of an open file; whoever sends it closes the handle. */
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
