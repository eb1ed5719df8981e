import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { type ConnectorContext, ProviderError } from "@keyloan/contract";
import type { BucketAccess } from "./endpoint.ts";
import { invalidResponse, isR2Error, provider } from "./errors.ts";
import { fetchTransport, socketTransport } from "./transport.ts";

export type PendingUpload = { readonly key: string; readonly uploadId: string };

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
  readonly listUploads: (prefix: string) => AsyncGenerator<readonly PendingUpload[]>;
  /** "Not there" is success. */
  readonly abortUpload: (upload: PendingUpload) => Promise<void>;
  /** Whether the key lists the account's buckets, which R2 lets only keys of the whole account do. */
  readonly seesAllBuckets: () => Promise<boolean>;
};

type Sdk = typeof import("@aws-sdk/client-s3");
type Send = S3Client["send"];
type Opened = { readonly sdk: Sdk; readonly send: Send; readonly bucket: string };

/**
 * Opens a bucket. The SDK is loaded here, at the first use, because it doubles the start time of whoever
 * imports it.
 * @param transport `socket` for keys that fetch would change on their way
 */
export async function openObjectStore(
  context: ConnectorContext,
  access: BucketAccess,
  transport: "fetch" | "socket" = "fetch",
): Promise<ObjectStore> {
  const sdk = await import("@aws-sdk/client-s3");
  const handler = transport === "fetch" ? fetchTransport(context) : socketTransport(context);
  const client = new sdk.S3Client(clientConfig(access, handler));
  const send = guard(client.send.bind(client));
  return createObjectStore({ sdk, send, bucket: access.bucket });
}

function createObjectStore({ sdk, send, bucket: Bucket }: Opened): ObjectStore {
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
    listKeys: (prefix) => listKeys({ sdk, send, bucket: Bucket }, prefix),
    listUploads: (prefix) => listUploads({ sdk, send, bucket: Bucket }, prefix),
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

async function* listKeys({ sdk, send, bucket }: Opened, prefix: string): AsyncGenerator<readonly string[]> {
  let token: string | undefined;
  do {
    const page = await send(
      new sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        EncodingType: "url",
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    // An answer that is no listing at all must not pass for an empty one.
    if (page.Name !== bucket) throw invalidResponse();
    yield (page.Contents ?? []).map(({ Key }) => ownKey(Key, page.EncodingType, prefix));
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && token === undefined) throw invalidResponse();
  } while (token !== undefined);
}

async function* listUploads(
  { sdk, send, bucket }: Opened,
  prefix: string,
): AsyncGenerator<readonly PendingUpload[]> {
  let markers: { KeyMarker: string; UploadIdMarker: string } | undefined;
  do {
    const command = { Bucket: bucket, Prefix: prefix, EncodingType: "url" as const, ...markers };
    const page = await send(new sdk.ListMultipartUploadsCommand(command));
    if (page.Bucket !== bucket) throw invalidResponse();
    yield (page.Uploads ?? []).map(({ Key, UploadId }) => {
      if (UploadId === undefined) throw invalidResponse();
      return { key: ownKey(Key, page.EncodingType, prefix), uploadId: UploadId };
    });
    const { NextKeyMarker, NextUploadIdMarker = "" } = page;
    if (page.IsTruncated !== true) return;
    if (NextKeyMarker === undefined) throw invalidResponse();
    markers = { KeyMarker: decodeKey(NextKeyMarker, page.EncodingType), UploadIdMarker: NextUploadIdMarker };
  } while (markers !== undefined);
}

// What a listing names gets deleted, so a key outside the prefix is never taken from it.
function ownKey(listed: string | undefined, encoding: string | undefined, prefix: string): string {
  const key = decodeKey(listed ?? "", encoding);
  if (!key.startsWith(prefix)) throw invalidResponse();
  return key;
}

function decodeKey(listed: string, encoding: string | undefined): string {
  if (encoding !== "url") return listed;
  try {
    return decodeURIComponent(listed.replaceAll("+", " "));
  } catch {
    throw invalidResponse();
  }
}

function notDeleted(codes: readonly (string | undefined)[]): ProviderError {
  const isDenied = codes.every((code) => code === "AccessDenied");
  const message = `could not delete ${codes.length} objects`;
  return new ProviderError(provider, isDenied ? "forbidden" : "unavailable", message, { status: 200 });
}

function unlessGone(code: "NoSuchKey" | "NoSuchUpload"): (error: unknown) => undefined {
  return (error) => {
    if (!isR2Error(error, code)) throw error;
  };
}

/** The SDK's `send`, with every failure that is not ours turned into one that carries nothing of the answer. */
function guard(send: Send): Send {
  const guarded = async (...given: Parameters<Send>) => {
    try {
      return await send(...given);
    } catch (error) {
      throw error instanceof ProviderError ? error : invalidResponse();
    }
  };
  // `send` is overloaded; a wrapper that hands everything through keeps every overload true.
  return guarded as Send;
}

// All that the SDK would otherwise look up in files and variables of the machine is given here.
function clientConfig(
  access: BucketAccess,
  requestHandler: NonNullable<S3ClientConfig["requestHandler"]>,
): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = access;
  return {
    endpoint: access.endpoint,
    region: "auto",
    forcePathStyle: true,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    requestHandler,
    // Trying again is the broker's business.
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    // R2 has refused or ignored the SDK's newer checksums ("R2 examples, aws-sdk-js-v3").
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    authSchemePreference: [],
    disableS3ExpressSessionAuth: true,
    sigv4aSigningRegionSet: [],
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: "keyloan",
  };
}
