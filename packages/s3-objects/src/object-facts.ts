import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { invalidResponse, S3Error } from "./errors.ts";
import type { OpenedBucket } from "./open-bucket.ts";
import { isWeak, readPiece } from "./read-piece.ts";
import { changedUnderway, unpackedUnderway } from "./storage-errors.ts";
import { withHeader } from "./with-header.ts";

/** What is stored with an object besides its bytes. Values, including `expires`, are exactly as they were sent. */
export type ObjectHeaders = {
  readonly ContentType?: string;
  readonly ContentEncoding?: string;
  readonly ContentDisposition?: string;
  readonly ContentLanguage?: string;
  readonly CacheControl?: string;
  readonly Metadata?: Record<string, string>;
  readonly expires?: string;
};

/** The state of an object at one moment: as long as its ETag is the same, so is everything else. */
export type ObjectFacts = { readonly bytes: number; readonly etag: string; readonly headers: ObjectHeaders };

/**
 * The facts of an object; `undefined` if there is none. Some edges decompress a compressed object for a client that
 * does not accept compression, and then report neither its length nor its encoding (Cloudflare, "Content
 * compression"); a client that accepts compression gets both.
 */
export async function headObject(opened: OpenedBucket, Key: string): Promise<ObjectFacts | undefined> {
  const { sdk, send, name, bucket: Bucket } = opened;
  const command = () => new sdk.HeadObjectCommand({ Bucket, Key });
  const packed = command();
  // Added after signing, because a proxy before the store may change this header.
  packed.middlewareStack.add(withHeader("accept-encoding", "br, gzip"), { step: "deserialize" });
  try {
    const facts = factsOf(name, await send(command())) ?? factsOf(name, await send(packed));
    if (facts === undefined) throw unpackedUnderway(name);
    return facts;
  } catch (error) {
    if (!(error instanceof S3Error) || error.status !== 404) throw error;
    // An answer to HEAD has no body that says what is missing: the object or the bucket.
    if ((await readPiece(opened, Key, 0)) !== undefined) throw changedUnderway(name);
    return undefined;
  }
}

function factsOf(store: string, answer: HeadObjectCommandOutput): ObjectFacts | undefined {
  const { ETag, ContentLength } = answer;
  if (ETag === undefined || ETag === "") throw invalidResponse(store);
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
