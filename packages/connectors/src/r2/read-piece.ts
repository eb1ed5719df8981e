import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { responseBytesMax } from "../kit/http.ts";
import { invalidResponse, isR2Error, R2Error } from "./errors.ts";
import { isWeak } from "./object-facts.ts";
import type { OpenedBucket } from "./s3-client.ts";
import { changedUnderway, unpackedUnderway } from "./storage-errors.ts";

/** As much as one answer may hold, so that a piece passes every bounded fetch. */
export const pieceBytes = responseBytesMax;

/** A part of an object's bytes, with the tag and the size of the whole. */
export type Piece = { readonly bytes: Uint8Array; readonly etag: string; readonly total: number };

/**
 * At most {@link pieceBytes} from a place on; `undefined` when there is no such object.
 * @throws ChangedUnderway when the object is not that of the tag
 */
export async function readPiece(
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
