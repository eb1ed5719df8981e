import { ProviderError } from "@keyloan/contract";
import { invalidResponse, isS3Error, S3Error, unlessGone } from "./errors.ts";
import { listFolders, listObjects, listUploads, type PendingUpload } from "./listings.ts";
import { headObject, type ObjectHeaders } from "./object-facts.ts";
import { type BucketOptions, type OpenedBucket, openBucket } from "./open-bucket.ts";
import { readPiece } from "./read-piece.ts";
import { withHeader } from "./with-header.ts";

/** What is done with one bucket. Keys are whole. All throw ProviderError only, without the store's words. */
export type ObjectStore = { readonly name: string } & Readonly<
  ReturnType<typeof reading> & ReturnType<typeof writing> & ReturnType<typeof removing>
>;

/** Opens a bucket. Nothing is asked before the first use. */
export async function openObjectStore(options: BucketOptions): Promise<ObjectStore> {
  const opened = await openBucket(options);
  return { name: opened.name, ...reading(opened), ...writing(opened), ...removing(opened) };
}

/** What a store says of bytes that it was sent. */
export type Written = { readonly etag: string; readonly sha256: string | undefined };

export type UploadedPart = Written & { readonly number: number };

export type WriteOptions = {
  readonly headers?: ObjectHeaders;
  /** What the store compares with what is there at the instant of writing; without it whatever is there is replaced. */
  readonly condition?: Condition;
};

export type Condition = { readonly IfMatch?: string; readonly IfNoneMatch?: "*" };

/** The condition that only this version is replaced; without one, nothing at all. */
export const onlyOver = (version: string | undefined): Condition =>
  version === undefined ? { IfNoneMatch: "*" } : { IfMatch: version };

function reading(opened: OpenedBucket) {
  const { sdk, send } = opened;
  return {
    list: (prefix: string) => listObjects(opened, prefix),
    listFolders: (prefix: string) => listFolders(opened, prefix),
    listUploads: (prefix: string) => listUploads(opened, prefix),
    /** The names of all buckets that the key lists. */
    listBuckets: async (): Promise<readonly string[]> => {
      const { Buckets } = await send(new sdk.ListBucketsCommand({}));
      if (Buckets === undefined) throw invalidResponse(opened.name);
      return Buckets.flatMap(({ Name }) => Name ?? []);
    },
    head: (key: string) => headObject(opened, key),
    read: (key: string, start: number, etag?: string) => readPiece(opened, key, start, etag),
  };
}

/** Sums are SHA-256 in base64, which the store must check; not every store knows them. */
function writing({ sdk, send, name, bucket: Bucket }: OpenedBucket) {
  const toWritten = ({ ETag, ChecksumSHA256 }: StoreAnswer): Written => {
    if (ETag === undefined || ETag === "") throw invalidResponse(name);
    return { etag: ETag, sha256: ChecksumSHA256 };
  };
  return {
    /** `undefined`, and nothing written, when the condition does not hold. */
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
    /** Begins an upload in parts and gives its id. */
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
    /** `undefined` when the condition does not hold; the upload is still pending then. */
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
      // The sum in this answer is one over the sums of the parts, not over the bytes.
      return answer === undefined ? undefined : toWritten({ ETag: answer.ETag });
    },
  };
}

type StoreAnswer = { readonly ETag?: string | undefined; readonly ChecksumSHA256?: string | undefined };

const summed = (sha256: string | undefined) => (sha256 === undefined ? {} : { ChecksumSHA256: sha256 });

/** A condition that does not hold; 409 tells of two writes at once, and 404 that what was to be replaced is gone. */
function unlessOther(condition: Condition | undefined): (error: unknown) => undefined {
  return (error) => {
    const isOther = error instanceof S3Error && (error.status === 412 || error.status === 409);
    if (condition === undefined || !(isOther || isS3Error(error, "NoSuchKey"))) throw error;
  };
}

/** For each of these "not there" is success. */
function removing({ sdk, send, name, bucket: Bucket }: OpenedBucket) {
  /** A deletion is answered 204; a page that says 200 to everything has deleted nothing. */
  const expectDone = (answer: { readonly $metadata: { readonly httpStatusCode?: number } } | undefined) => {
    if (answer !== undefined && answer.$metadata.httpStatusCode !== 204) throw invalidResponse(name);
  };
  return {
    remove: async (Key: string): Promise<void> =>
      expectDone(await send(new sdk.DeleteObjectCommand({ Bucket, Key })).catch(unlessGone("NoSuchKey"))),
    /** At most 1000 keys, none of which XML cannot carry. Throws when any of them could not be deleted. */
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
