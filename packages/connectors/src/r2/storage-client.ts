import type { ConnectorContext } from "@keyloan/contract";
import type { BucketAccess } from "./endpoint.ts";
import { invalidResponse, isR2Error, R2Error, unlessGone } from "./errors.ts";
import { type ListedObject, listObjects, listUploads, type PendingUpload } from "./listings.ts";
import { headObject, type ObjectFacts, type ObjectHeaders } from "./object-facts.ts";
import { type Piece, readPiece } from "./read-piece.ts";
import { openBucket } from "./s3-client.ts";
import { changedUnderway } from "./storage-errors.ts";

/** What a store says of bytes that it was sent. */
export type Written = { readonly etag: string; readonly sha256: string | undefined };

export type UploadedPart = Written & { readonly number: number };

/** What moving objects calls on one bucket. Keys are whole. All throw ProviderError only. */
export type StorageClient = {
  readonly list: (prefix: string) => AsyncGenerator<readonly ListedObject[]>;
  /** `undefined` when there is no such object. */
  readonly head: (key: string) => Promise<ObjectFacts | undefined>;
  /** See {@link readPiece}. */
  readonly read: (key: string, start: number, etag?: string) => Promise<Piece | undefined>;
  /** Replaces the version `over` alone, without one nothing: `undefined`, and nothing written, when something else is there. */
  readonly put: (
    key: string,
    bytes: Uint8Array,
    sha256: string,
    headers: ObjectHeaders,
    over?: string,
  ) => Promise<Written | undefined>;
  /** Begins an upload in parts and gives its id. */
  readonly begin: (key: string, headers: ObjectHeaders) => Promise<string>;
  readonly putPart: (
    upload: PendingUpload,
    number: number,
    bytes: Uint8Array,
    sha256: string,
  ) => Promise<UploadedPart>;
  /** Replaces what {@link StorageClient.put} does; the upload is still pending when it gives `undefined`. */
  readonly complete: (
    upload: PendingUpload,
    parts: readonly UploadedPart[],
    over?: string,
  ) => Promise<Written | undefined>;
  /** "Not there" is success. */
  readonly abort: (upload: PendingUpload) => Promise<void>;
  /** The ids of every unfinished upload of exactly this key, whoever began it. */
  readonly uploads: (key: string) => Promise<ReadonlySet<string>>;
  /** "Not there" is success. */
  readonly remove: (key: string) => Promise<void>;
};

/** For one piece, or one part, and never for a whole object. */
const requestTimeoutMs = 60_000;

/** Opens a bucket for moving objects. */
export async function openStorage(context: ConnectorContext, access: BucketAccess): Promise<StorageClient> {
  const opened = await openBucket(context, access, { timeoutMs: requestTimeoutMs });
  const { sdk, send, bucket: Bucket } = opened;
  const read = (key: string, start: number, etag?: string) => readPiece(opened, key, start, etag);
  const abort = async ({ key: Key, uploadId: UploadId }: PendingUpload) => {
    const command = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
    await send(command).catch(unlessGone("NoSuchUpload"));
  };
  return {
    list: (prefix) => listObjects(opened, prefix),
    head: async (key) => {
      const packed = () =>
        openBucket(context, access, { timeoutMs: requestTimeoutMs, acceptEncoding: "br, gzip" });
      // An answer to HEAD has no body that tells what is missing: the object, or the bucket.
      return headObject(opened, packed, key).catch(async (error: unknown) => {
        if (!(error instanceof R2Error) || error.status !== 404) throw error;
        if ((await read(key, 0)) !== undefined) throw changedUnderway();
        return undefined;
      });
    },
    read,
    put: async (Key, Body, sha256, { expires, ...headers }, over) => {
      const condition = conditionOf(over);
      const put = { Bucket, Key, Body, ChecksumSHA256: sha256, ...headers, ...condition };
      const command = new sdk.PutObjectCommand(put);
      command.middlewareStack.add(withExpires(expires), { step: "build" });
      const answer = await send(command).catch(unlessOther);
      return answer === undefined ? undefined : toWritten(answer);
    },
    begin: async (Key, { expires, ...headers }) => {
      const upload = { Bucket, Key, ChecksumAlgorithm: "SHA256" as const, ...headers };
      const command = new sdk.CreateMultipartUploadCommand(upload);
      command.middlewareStack.add(withExpires(expires), { step: "build" });
      const { UploadId } = await send(command);
      if (UploadId === undefined || UploadId === "") throw invalidResponse();
      return UploadId;
    },
    putPart: async ({ key: Key, uploadId: UploadId }, number, Body, sha256) => {
      const part = { Bucket, Key, UploadId, PartNumber: number, Body, ChecksumSHA256: sha256 };
      return { ...toWritten(await send(new sdk.UploadPartCommand(part))), number };
    },
    complete: async ({ key: Key, uploadId: UploadId }, parts, over) => {
      const Parts = parts.map(({ number: PartNumber, etag: ETag, sha256 }) => ({
        PartNumber,
        ETag,
        ...(sha256 === undefined ? {} : { ChecksumSHA256: sha256 }),
      }));
      const upload = { Bucket, Key, UploadId, MultipartUpload: { Parts }, ...conditionOf(over) };
      const answer = await send(new sdk.CompleteMultipartUploadCommand(upload)).catch(unlessOther);
      // The sum in this answer is one over the sums of the parts, not over the bytes.
      return answer === undefined ? undefined : toWritten({ ETag: answer.ETag });
    },
    abort,
    uploads: async (key) => {
      const ids = new Set<string>();
      for await (const uploads of listUploads(opened, key)) {
        for (const upload of uploads) if (upload.key === key) ids.add(upload.uploadId);
      }
      return ids;
    },
    remove: async (Key) => {
      await send(new sdk.DeleteObjectCommand({ Bucket, Key })).catch(unlessGone("NoSuchKey"));
    },
  };
}

/** What the store compares with what is there at the instant of writing (R2, "Conditional operations"). */
function conditionOf(over: string | undefined) {
  return over === undefined ? { IfNoneMatch: "*" } : { IfMatch: over };
}

/** A condition that does not hold; 409 tells of two writes at once, and 404 that what was to be replaced is gone. */
function unlessOther(error: unknown): undefined {
  const isOther = error instanceof R2Error && (error.status === 412 || error.status === 409);
  if (!isOther && !isR2Error(error, "NoSuchKey")) throw error;
}

function toWritten(answer: {
  readonly ETag?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}): Written {
  if (answer.ETag === undefined || answer.ETag === "") throw invalidResponse();
  return { etag: answer.ETag, sha256: answer.ChecksumSHA256 };
}

/** Sends the header as it is: the SDK takes a date only, and an object may have been given any text. */
function withExpires(expires: string | undefined) {
  return <Sent extends { readonly request: unknown }, Answer>(next: (sent: Sent) => Answer) =>
    (sent: Sent): Answer => {
      const { request } = sent;
      if (expires !== undefined && typeof request === "object" && request !== null) {
        if ("headers" in request && typeof request.headers === "object")
          Object.assign(request.headers ?? {}, { expires });
      }
      return next(sent);
    };
}
