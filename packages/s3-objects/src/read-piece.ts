import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { answerBytesMax } from "@keyloan/contract";
import { invalidResponse, isS3Error, S3Error } from "./errors.ts";
import type { OpenedBucket } from "./open-bucket.ts";
import { changedUnderway, unpackedUnderway } from "./storage-errors.ts";

export const pieceBytes = answerBytesMax;

/** A part of an object's bytes, with the ETag and the size of the whole object. */
export type Piece = { readonly bytes: Uint8Array; readonly etag: string; readonly total: number };

/**
 * Reads at most {@link pieceBytes} bytes from `start` on; `undefined` if there is no such object.
 * @throws ChangedUnderway if the object no longer has the ETag `etag`, ProviderError
 */
export async function readPiece(
  { sdk, send, name, bucket: Bucket }: OpenedBucket,
  Key: string,
  start: number,
  etag?: string,
): Promise<Piece | undefined> {
  const ask = (range: { readonly Range?: string }) =>
    send(
      new sdk.GetObjectCommand({
        Bucket,
        Key,
        ...range,
        ...(etag === undefined ? {} : { IfMatch: etag }),
        // A compressed object must arrive as it is stored.
        ResponseContentEncoding: "identity",
        ResponseCacheControl: "no-transform",
      }),
    );
  try {
    const answer = await ask({ Range: `bytes=${start}-${start + pieceBytes - 1}` }).catch(
      (error: unknown) => {
        // An empty object refuses every range.
        if (start === 0 && error instanceof S3Error && error.status === 416) return ask({});
        throw error;
      },
    );
    return await toPiece(name, answer, start, etag);
  } catch (error) {
    if (error instanceof S3Error && error.status === 412) throw changedUnderway(name);
    if (isS3Error(error, "NoSuchKey")) return undefined;
    throw error;
  }
}

async function toPiece(
  store: string,
  { ETag, ContentRange, Body }: GetObjectCommandOutput,
  start: number,
  etag?: string,
): Promise<Piece> {
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  if (ETag === undefined || ETag === "") throw invalidResponse(store);
  if (isWeak(ETag)) throw unpackedUnderway(store);
  if (etag !== undefined && ETag !== etag) throw changedUnderway(store);
  if (ContentRange === undefined && start === 0) return { bytes, etag: ETag, total: bytes.length };
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(ContentRange ?? "") ?? [];
  const isWhole =
    Number(first) === start && Number(last) === start + bytes.length - 1 && Number(total) > Number(last);
  if (!isWhole || bytes.length === 0) throw invalidResponse(store, "other bytes came than were asked for");
  return { bytes, etag: ETag, total: Number(total) };
}

/** Whether this is a weak ETag, which marks content that was altered in transit (RFC 9110, 8.8.1). */
export const isWeak = (etag: string) => etag.startsWith("W/");
