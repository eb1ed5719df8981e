import { type ConnectorContext, ProviderError } from "@keyloan/contract";
import type { BucketAccess } from "./endpoint.ts";
import { invalidResponse, provider, unlessGone } from "./errors.ts";
import { listFolders, listObjects, listUploads, type PendingUpload } from "./listings.ts";
import { type OpenedBucket, openBucket } from "./s3-client.ts";

/** The few S3 calls we make on one bucket. All throw ProviderError only, without the provider's words. */
export type ObjectStore = {
  readonly put: (key: string, text: string) => Promise<void>;
  readonly get: (key: string) => Promise<string>;
  /** "Not there" is success. */
  readonly remove: (key: string) => Promise<void>;
  /** At most 1000 keys, none of which XML cannot carry. Throws when any of them could not be deleted. */
  readonly removeMany: (keys: readonly string[]) => Promise<void>;
  /** Every key under a prefix, in pages of at most 1000. */
  readonly listKeys: (prefix: string) => AsyncGenerator<readonly string[]>;
  /** The prefix and what follows it in any key, up to and with the next slash. */
  readonly listFolders: (prefix: string) => AsyncGenerator<readonly string[]>;
  readonly listUploads: (prefix: string) => AsyncGenerator<readonly PendingUpload[]>;
  /** "Not there" is success. */
  readonly abortUpload: (upload: PendingUpload) => Promise<void>;
  /** Whether the key lists the account's buckets, which R2 lets only keys of the whole account do. */
  readonly seesAllBuckets: () => Promise<boolean>;
};

/**
 * Opens a bucket for what lending and checking do with it.
 * @param transport `socket` for keys that fetch would change on their way
 */
export async function openObjectStore(
  context: ConnectorContext,
  access: BucketAccess,
  transport: "fetch" | "socket" = "fetch",
): Promise<ObjectStore> {
  return createObjectStore(await openBucket(context, access, { transport }));
}

function createObjectStore(opened: OpenedBucket): ObjectStore {
  const { sdk, send, bucket: Bucket } = opened;
  return {
    put: async (Key, Body) => {
      const { ETag } = await send(new sdk.PutObjectCommand({ Bucket, Key, Body, ContentType: "text/plain" }));
      if (ETag === undefined) throw invalidResponse();
    },
    get: async (Key) => {
      const { Body } = await send(new sdk.GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToString()) ?? "";
    },
    remove: async (Key) => {
      const answer = await send(new sdk.DeleteObjectCommand({ Bucket, Key })).catch(unlessGone("NoSuchKey"));
      if (answer !== undefined && answer.$metadata.httpStatusCode !== 204) throw invalidResponse();
    },
    removeMany: async (keys) => {
      const Delete = { Objects: keys.map((Key) => ({ Key })) };
      const { Deleted = [], Errors = [] } = await send(new sdk.DeleteObjectsCommand({ Bucket, Delete }));
      if (Errors.length > 0) throw notDeleted(Errors.map(({ Code }) => Code));
      if (Deleted.length !== keys.length) throw invalidResponse();
    },
    listKeys: async function* (prefix) {
      for await (const page of listObjects(opened, prefix)) yield page.map(({ key }) => key);
    },
    listFolders: (prefix) => listFolders(opened, prefix),
    listUploads: (prefix) => listUploads(opened, prefix),
    abortUpload: async ({ key: Key, uploadId: UploadId }) => {
      const command = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
      const answer = await send(command).catch(unlessGone("NoSuchUpload"));
      if (answer !== undefined && answer.$metadata.httpStatusCode !== 204) throw invalidResponse();
    },
    seesAllBuckets: async () => {
      // Only a look: whoever refuses it, or does not know the question, shows nothing.
      const answer = await send(new sdk.ListBucketsCommand({})).catch(() => undefined);
      return answer?.Buckets?.some(({ Name }) => Name === Bucket) === true;
    },
  };
}

function notDeleted(codes: readonly (string | undefined)[]): ProviderError {
  const isDenied = codes.every((code) => code === "AccessDenied");
  const message = `could not delete ${codes.length} objects`;
  return new ProviderError(provider, isDenied ? "forbidden" : "unavailable", message, { status: 200 });
}
