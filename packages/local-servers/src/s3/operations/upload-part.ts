import { createHash } from "node:crypto";
import { queryValue } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { noHeaders, type ObjectInfo } from "../store/object-info.ts";
import type { PendingFile } from "../store/pending-file.ts";
import type { Upload } from "../store/uploads.ts";
import { writeXml } from "../xml.ts";
import { type ObjectContext, type S3Answer, xmlAnswer } from "./context.ts";
import { copyResult } from "./copy-object.ts";
import { openCopySource, readData } from "./copy-source.ts";
import { writtenHeaders } from "./put-object.ts";
import { requireRoom } from "./require-room.ts";
import { findUpload, noSuchUpload } from "./uploads.ts";

const partNumberMax = 10_000;

/** UploadPart. */
export async function uploadPart(context: ObjectContext): Promise<S3Answer> {
  const upload = findUpload(context);
  const partNumber = readPartNumber(context);
  const body = context.openBody(context.limits.uploadBytesMax);
  requireRoom(context, body.length, upload.parts.get(partNumber)?.size ?? 0);
  const pending = context.bucket.begin();
  try {
    const { bytes, md5, checksum } = await body.read(pending.write);
    const part: ObjectInfo = {
      ...partFacts(context, bytes, md5.toString("hex")),
      ...(checksum === undefined ? {} : { checksum }),
    };
    await keepPart(context, upload, partNumber, pending, part);
    return { status: 200, headers: writtenHeaders(part) };
  } finally {
    await pending.discard();
  }
}

/** UploadPartCopy. The sender must be allowed to read the source. */
export async function uploadPartCopy(context: ObjectContext, sourceText: string): Promise<S3Answer> {
  const upload = findUpload(context);
  const partNumber = readPartNumber(context);
  const source = await openCopySource(context, "UploadPartCopy", sourceText);
  const pending = context.bucket.begin();
  try {
    const rangeText = context.request.headers.get("x-amz-copy-source-range");
    const { start, length } = readCopyRange(rangeText, source.info.size);
    if (length > context.limits.uploadBytesMax) throw new S3Error("EntityTooLarge", "The part is too large.");
    requireRoom(context, length, upload.parts.get(partNumber)?.size ?? 0);
    const md5 = createHash("md5");
    for await (const chunk of readData(source, start, length)) {
      md5.update(chunk);
      await pending.write(chunk);
    }
    const part = partFacts(context, length, md5.digest("hex"));
    await keepPart(context, upload, partNumber, pending, part);
    return xmlAnswer(writeXml("CopyPartResult", copyResult(part)));
  } finally {
    await source.handle.close();
    await pending.discard();
  }
}

async function keepPart(
  context: ObjectContext,
  upload: Upload,
  partNumber: number,
  pending: PendingFile,
  part: ObjectInfo,
): Promise<void> {
  await pending.finish(part);
  // The upload may have been completed or aborted while the part arrived.
  if (context.bucket.uploads.get(upload.id) !== upload) throw noSuchUpload();
  pending.commit(context.bucket.uploads.partPath(upload, partNumber));
  upload.parts.set(partNumber, part);
}

const partFacts = (context: ObjectContext, size: number, etag: string): ObjectInfo => ({
  key: context.key,
  size,
  etag,
  lastModifiedMs: context.nowMs(),
  headers: noHeaders,
});

function readPartNumber({ request }: ObjectContext): number {
  const text = queryValue(request, "partNumber") ?? "";
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > partNumberMax) {
    throw new S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  return number;
}

function readCopyRange(text: string | undefined, size: number): { start: number; length: number } {
  if (text === undefined) return { start: 0, length: size };
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  const start = Number(first);
  const end = Number(last);
  if (first === undefined || last === undefined || end < start || end >= size) {
    throw new S3Error("InvalidArgument", "The copy range must be bytes=first-last within the source.");
  }
  return { start, length: end - start + 1 };
}
