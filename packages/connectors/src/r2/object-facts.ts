import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { invalidResponse } from "./errors.ts";
import type { OpenedBucket } from "./s3-client.ts";
import { unpackedUnderway } from "./storage-errors.ts";

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

/**
 * What is kept with an object. Cloudflare unpacks what is stored packed for whoever does not take it packed, and
 * then tells neither its length nor its encoding ("Content compression"); whoever takes it is told both.
 */
export async function headObject(
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

/** A tag of content that was altered on its way (RFC 9110, 8.8.1). */
export const isWeak = (etag: string) => etag.startsWith("W/");
