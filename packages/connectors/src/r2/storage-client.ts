import type { GetObjectCommandOutput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { ConnectorContext } from "@keyloan/contract";
import { responseBytesMax } from "../kit/http.ts";
import type { BucketAccess } from "./endpoint.ts";
import { invalidResponse, isR2Error, R2Error } from "./errors.ts";
import { type ListedObject, listObjects, listUploads, type PendingUpload } from "./listings.ts";
import { type OpenedBucket, openBucket } from "./s3-client.ts";
import { changedUnderway, unpackedUnderway } from "./storage-errors.ts";

/** What is kept with an object beside its bytes. Values are as they were sent, `expires` included. */
export type ObjectHeaders = {
  readonly ContentType?: string;
  readonly ContentEncoding?: string;
  readonly ContentDisposition?: string;
  readonly ContentLanguage?: string;
  readonly CacheControl?: string;
  readonly Metadata: Record<string, string>;
  readonly expires?: string;
};

/** An object as it is at one moment: as long as the tag is the same, so is everything else. */
export type ObjectFacts = { readonly bytes: number; readonly etag: string; readonly headers: ObjectHeaders };

/** A part of an object's bytes, with the tag and the size of the whole. */
export type Piece = { readonly bytes: Uint8Array; readonly etag: string; readonly total: number };

/** What a store says of bytes that it was sent. */
export type Written = { readonly etag: string; readonly sha256: string | undefined };

export type UploadedPart = Written & { readonly number: number };

/** What moving objects calls on one bucket. Keys are whole. All throw ProviderError only. */
export type StorageClient = {
  readonly list: (prefix: string) => AsyncGenerator<readonly ListedObject[]>;
  /** `undefined` when there is no such object. */
  readonly head: (key: string) => Promise<ObjectFacts | undefined>;
  /**
   * At most {@link pieceBytes} from a place on; `undefined` when there is no such object.
   * @throws ChangedUnderway when the object is not that of the tag
   */
  readonly read: (key: string, start: number, etag?: string) => Promise<Piece | undefined>;
  readonly put: (key: string, bytes: Uint8Array, sha256: string, headers: ObjectHeaders) => Promise<Written>;
  /** Begins an upload in parts and gives its id. */
  readonly begin: (key: string, headers: ObjectHeaders) => Promise<string>;
  readonly putPart: (
    upload: PendingUpload,
    number: number,
    bytes: Uint8Array,
    sha256: string,
  ) => Promise<UploadedPart>;
  readonly complete: (upload: PendingUpload, parts: readonly UploadedPart[]) => Promise<Written>;
  /** "Not there" is success. */
  readonly abort: (upload: PendingUpload) => Promise<void>;
  /** Ends every unfinished upload of exactly this key. */
  readonly abandon: (key: string) => Promise<void>;
  /** "Not there" is success. */
  readonly remove: (key: string) => Promise<void>;
};

/** As much as one answer may hold, so that a piece passes every bounded fetch. */
export const pieceBytes = responseBytesMax;
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
    put: async (Key, Body, sha256, { expires, ...headers }) => {
      const command = new sdk.PutObjectCommand({ Bucket, Key, Body, ChecksumSHA256: sha256, ...headers });
      command.middlewareStack.add(
        (next) => (args) => {
          setExpires(args.request, expires);
          return next(args);
        },
        { step: "build" },
      );
      return toWritten(await send(command));
    },
    begin: async (Key, { expires, ...headers }) => {
      const upload = { Bucket, Key, ChecksumAlgorithm: "SHA256" as const, ...headers };
      const command = new sdk.CreateMultipartUploadCommand(upload);
      command.middlewareStack.add(
        (next) => (args) => {
          setExpires(args.request, expires);
          return next(args);
        },
        { step: "build" },
      );
      const { UploadId } = await send(command);
      if (UploadId === undefined || UploadId === "") throw invalidResponse();
      return UploadId;
    },
    putPart: async ({ key: Key, uploadId: UploadId }, number, Body, sha256) => {
      const part = { Bucket, Key, UploadId, PartNumber: number, Body, ChecksumSHA256: sha256 };
      return { ...toWritten(await send(new sdk.UploadPartCommand(part))), number };
    },
    complete: async ({ key: Key, uploadId: UploadId }, parts) => {
      const Parts = parts.map(({ number: PartNumber, etag: ETag, sha256 }) => ({
        PartNumber,
        ETag,
        ...(sha256 === undefined ? {} : { ChecksumSHA256: sha256 }),
      }));
      const upload = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
      // The sum in this answer is one over the sums of the parts, not over the bytes.
      const { ETag } = await send(new sdk.CompleteMultipartUploadCommand(upload));
      return toWritten({ ETag });
    },
    abort,
    abandon: async (key) => {
      for await (const uploads of listUploads(opened, key)) {
        for (const upload of uploads) if (upload.key === key) await abort(upload);
      }
    },
    remove: async (Key) => {
      await send(new sdk.DeleteObjectCommand({ Bucket, Key })).catch(unlessGone("NoSuchKey"));
    },
  };
}

/**
 * What is kept with an object. Cloudflare unpacks what is stored packed for whoever does not take it packed, and
 * then tells neither its length nor its encoding ("Content compression"); whoever takes it is told both.
 */
async function headObject(
  { sdk, send, bucket: Bucket }: OpenedBucket,
  openPacked: () => Promise<OpenedBucket>,
  Key: string,
): Promise<ObjectFacts> {
  const ask = new sdk.HeadObjectCommand({ Bucket, Key });
  const plain = factsOf(await send(ask));
  const facts = plain ?? factsOf(await (await openPacked()).send(ask));
  if (facts === undefined) throw unpackedUnderway();
  return facts;
}

function factsOf(answer: HeadObjectCommandOutput): ObjectFacts | undefined {
  const { ETag, ContentLength } = answer;
  if (ETag === undefined || ETag === "") throw invalidResponse();
  if (isWeak(ETag) || ContentLength === undefined) return undefined;
  return { bytes: ContentLength, etag: ETag, headers: headersOf(answer) };
}

function headersOf(answer: HeadObjectCommandOutput): ObjectHeaders {
  const { ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl } = answer;
  return {
    ...(ContentType === undefined ? {} : { ContentType }),
    ...(ContentEncoding === undefined ? {} : { ContentEncoding }),
    ...(ContentDisposition === undefined ? {} : { ContentDisposition }),
    ...(ContentLanguage === undefined ? {} : { ContentLanguage }),
    ...(CacheControl === undefined ? {} : { CacheControl }),
    ...(answer.ExpiresString === undefined ? {} : { expires: answer.ExpiresString }),
    Metadata: answer.Metadata ?? {},
  };
}

async function readPiece(
  { sdk, send, bucket: Bucket }: OpenedBucket,
  Key: string,
  start: number,
  etag: string | undefined,
): Promise<Piece | undefined> {
  const ask = (range: { readonly Range?: string }) =>
    send(
      new sdk.GetObjectCommand({
        Bucket,
        Key,
        ...range,
        ...(etag === undefined ? {} : { IfMatch: etag }),
        // What is stored packed is to come as it is stored.
        ResponseContentEncoding: "identity",
        ResponseCacheControl: "no-transform",
      }),
    );
  try {
    const answer = await ask({ Range: `bytes=${start}-${start + pieceBytes - 1}` }).catch(
      (error: unknown) => {
        // No range fits into nothing.
        if (start === 0 && error instanceof R2Error && error.status === 416) return ask({});
        throw error;
      },
    );
    return await toPiece(answer, start, etag);
  } catch (error) {
    if (error instanceof R2Error && error.status === 412) throw changedUnderway();
    if (isR2Error(error, "NoSuchKey")) return undefined;
    throw error;
  }
}

async function toPiece(answer: GetObjectCommandOutput, start: number, etag?: string): Promise<Piece> {
  const { ETag, ContentRange, Body } = answer;
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  if (ETag === undefined || ETag === "") throw invalidResponse();
  if (isWeak(ETag)) throw unpackedUnderway();
  if (etag !== undefined && ETag !== etag) throw changedUnderway();
  if (ContentRange === undefined && start === 0) return { bytes, etag: ETag, total: bytes.length };
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(ContentRange ?? "") ?? [];
  const isWhole =
    Number(first) === start && Number(last) === start + bytes.length - 1 && Number(total) > Number(last);
  if (!isWhole || bytes.length === 0) throw invalidResponse("other bytes came than were asked for");
  return { bytes, etag: ETag, total: Number(total) };
}

/** A tag of content that was altered on its way (RFC 9110, 8.8.1). */
const isWeak = (etag: string) => etag.startsWith("W/");

function toWritten(answer: {
  readonly ETag?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
}): Written {
  if (answer.ETag === undefined || answer.ETag === "") throw invalidResponse();
  return { etag: answer.ETag, sha256: answer.ChecksumSHA256 };
}

/** The SDK takes a date only, and an object may have been given any text. */
function setExpires(request: unknown, expires: string | undefined): void {
  if (expires === undefined || typeof request !== "object" || request === null) return;
  if ("headers" in request && typeof request.headers === "object")
    Object.assign(request.headers ?? {}, { expires });
}

function unlessGone(code: "NoSuchKey" | "NoSuchUpload"): (error: unknown) => undefined {
  return (error) => {
    if (!isR2Error(error, code)) throw error;
  };
}
