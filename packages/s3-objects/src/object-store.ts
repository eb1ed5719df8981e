import { ProviderError } from "@keyloan/contract";
import { invalidResponse, isS3Error, S3Error, unlessGone } from "./errors.ts";
import { listFolders, listObjects, listUploads, type PendingUpload } from "./listings.ts";
import { headObject, type ObjectHeaders } from "./object-facts.ts";
import { type BucketOptions, type OpenedBucket, openBucket } from "./open-bucket.ts";
import { readPiece } from "./read-piece.ts";
import { withHeader } from "./with-header.ts";

/** The calls to one bucket. Keys are complete. All calls throw only ProviderError, without the store's own message. */
export type ObjectStore = { readonly name: string } & Readonly<
  ReturnType<typeof reading> & ReturnType<typeof writing> & ReturnType<typeof removing>
>;

/** Opens a bucket. No request is sent before the first use. */
export async function openObjectStore(options: BucketOptions): Promise<ObjectStore> {
  const opened = await openBucket(options);
  return { name: opened.name, ...reading(opened), ...writing(opened), ...removing(opened) };
}

/** What a store reports about bytes that it received. */
export type Written = { readonly etag: string; readonly sha256: string | undefined };

export type UploadedPart = Written & { readonly number: number };

export type WriteOptions = {
  readonly headers?: ObjectHeaders;
  /** What the store checks about the existing object at the moment of writing; absent: any object is replaced. */
  readonly condition?: Condition;
};

export type Condition = { readonly IfMatch?: string; readonly IfNoneMatch?: "*" };

/** The condition that only this version may be replaced; if `version` is undefined, no object may be replaced. */
export const onlyOver = (version: string | undefined): Condition =>
  version === undefined ? { IfNoneMatch: "*" } : { IfMatch: version };

function reading(opened: OpenedBucket) {
  const { sdk, send } = opened;
  return {
    list: (prefix: string) => listObjects(opened, prefix),
    listFolders: (prefix: string) => listFolders(opened, prefix),
    listUploads: (prefix: string) => listUploads(opened, prefix),
    /** The names of all buckets that the key may list. */
    listBuckets: async (): Promise<readonly string[]> => {
      const { Buckets } = await send(new sdk.ListBucketsCommand({}));
      if (Buckets === undefined) throw invalidResponse(opened.name);
      return Buckets.flatMap(({ Name }) => Name ?? []);
    },
    head: (key: string) => headObject(opened, key),
    read: (key: string, start: number, etag?: string) => readPiece(opened, key, start, etag),
  };
}

/** Checksums are SHA-256 in base64, and the store must verify them; not every store supports them. */
function writing({ sdk, send, name, bucket: Bucket }: OpenedBucket) {
  const toWritten = ({ ETag, ChecksumSHA256 }: StoreAnswer): Written => {
    if (ETag === undefined || ETag === "") throw invalidResponse(name);
    return { etag: ETag, sha256: ChecksumSHA256 };
  };
  return {
    /** Returns `undefined` and writes nothing if the condition does not hold. */
    put: async (
      Key: string,
      Body: Uint8Array,
      options: WriteOptions & { readonly sha256?: string } = {},
    ): Promise<Written | undefined> => {
      const { headers: { expires, ...headers } = {}, condition, sha256 } = options;
      const put = { Bucket, Key, Body, ...summed(sha256), ...headers, ...condition };
      const command = new sdk.PutObjectCommand(put);
      command.middlewareStack.add(withHeader("expires", expires), { step: "build" });
      const answer = await send(command).catch(unlessOther(condition));
      return answer === undefined ? undefined : toWritten(answer);
    },
    /** Begins an upload in parts and returns its id. */
    begin: async (Key: string, given: ObjectHeaders = {}, isSummed = false): Promise<string> => {
      const { expires, ...headers } = given;
      const sums = isSummed ? { ChecksumAlgorithm: "SHA256" as const } : {};
      const command = new sdk.CreateMultipartUploadCommand({ Bucket, Key, ...sums, ...headers });
      command.middlewareStack.add(withHeader("expires", expires), { step: "build" });
      const { UploadId } = await send(command);
      if (UploadId === undefined || UploadId === "") throw invalidResponse(name);
      return UploadId;
    },
    putPart: async (
      { key: Key, uploadId: UploadId }: PendingUpload,
      number: number,
      Body: Uint8Array,
      sha256?: string,
    ): Promise<UploadedPart> => {
      const part = { Bucket, Key, UploadId, PartNumber: number, Body, ...summed(sha256) };
      return { ...toWritten(await send(new sdk.UploadPartCommand(part))), number };
    },
    /** Returns `undefined` if the condition does not hold; the upload is still pending then. */
    complete: async (
      { key: Key, uploadId: UploadId }: PendingUpload,
      parts: readonly UploadedPart[],
      condition?: Condition,
    ): Promise<Written | undefined> => {
      const Parts = parts.map(({ number: PartNumber, etag: ETag, sha256 }) => ({
        PartNumber,
        ETag,
        ...summed(sha256),
      }));
      const upload = { Bucket, Key, UploadId, MultipartUpload: { Parts }, ...condition };
      const command = new sdk.CompleteMultipartUploadCommand(upload);
      const answer = await send(command).catch(unlessOther(condition));
      // The checksum in this answer is one of the parts' checksums, not of the bytes.
      return answer === undefined ? undefined : toWritten({ ETag: answer.ETag });
    },
  };
}

type StoreAnswer = { readonly ETag?: string | undefined; readonly ChecksumSHA256?: string | undefined };

const summed = (sha256: string | undefined) => (sha256 === undefined ? {} : { ChecksumSHA256: sha256 });

/** Ignores the error of a condition that does not hold; 409 means two simultaneous writes, 404 no object to replace. */
function unlessOther(condition: Condition | undefined): (error: unknown) => undefined {
  return (error) => {
    const isOther = error instanceof S3Error && (error.status === 412 || error.status === 409);
    if (condition === undefined || !(isOther || isS3Error(error, "NoSuchKey"))) throw error;
  };
}

/** Each of these calls succeeds if the object or upload does not exist. */
function removing({ sdk, send, name, bucket: Bucket }: OpenedBucket) {
  /** A store answers a deletion with 204; a page that answers 200 to everything has deleted nothing. */
  const expectDone = (answer: { readonly $metadata: { readonly httpStatusCode?: number } } | undefined) => {
    if (answer !== undefined && answer.$metadata.httpStatusCode !== 204) throw invalidResponse(name);
  };
  return {
    remove: async (Key: string): Promise<void> =>
      expectDone(await send(new sdk.DeleteObjectCommand({ Bucket, Key })).catch(unlessGone("NoSuchKey"))),
    /** At most 1000 keys, all of which XML can represent. Throws if any of them could not be deleted. */
    removeMany: async (keys: readonly string[]): Promise<void> => {
      const Delete = { Objects: keys.map((Key) => ({ Key })) };
      const { Deleted = [], Errors = [] } = await send(new sdk.DeleteObjectsCommand({ Bucket, Delete }));
      if (Errors.length > 0) {
        const code = Errors.every(({ Code }) => Code === "AccessDenied") ? "forbidden" : "unavailable";
        const message = `could not delete ${Errors.length} objects`;
        throw new ProviderError(name, code, message, { status: 200 });
      }
      if (Deleted.length !== keys.length) throw invalidResponse(name);
    },
    abort: async ({ key: Key, uploadId: UploadId }: PendingUpload): Promise<void> => {
      const command = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
      expectDone(await send(command).catch(unlessGone("NoSuchUpload")));
    },
  };
}
