import { createHash } from "node:crypto";
import { type Checksum, createChecksum, type RunningChecksum } from "../body/checksum.ts";
import { S3Error } from "../s3-error.ts";
import { openObjectFile } from "../store/object-file.ts";
import type { ObjectInfo } from "../store/object-info.ts";
import type { Upload } from "../store/uploads.ts";
import { childText, malformed, parseXml, writeXml, type XmlElement } from "../xml.ts";
import { type ObjectContext, quote, type S3Answer, xmlAnswer } from "./context.ts";
import { readData } from "./copy-source.ts";
import {
  badObjectDigest,
  type ObjectChecksum,
  proveComposite,
  readObjectChecksum,
} from "./object-checksum.ts";
import { checkWrite, readPreconditions } from "./preconditions.ts";
import { readText } from "./read-text.ts";
import { findUpload, noSuchUpload } from "./uploads.ts";

type Part = { readonly number: number; readonly info: ObjectInfo };

/** CompleteMultipartUpload: joins the listed parts into one object, in one step, and drops the others. */
export async function completeUpload(context: ObjectContext): Promise<S3Answer> {
  const { bucket, key, request } = context;
  const upload = findUpload(context);
  // A checksum header of this request is for the resulting object, not for the document in the request's body.
  const expected = readObjectChecksum(request);
  const parts = chooseParts(context, upload, await readText(context, "of_object"));
  if (expected?.isComposite)
    proveComposite(
      expected,
      parts.map(({ info }) => info),
    );
  const conditions = readPreconditions(request.headers);
  checkWrite(bucket.index.get(key), conditions);
  const pending = bucket.begin();
  try {
    const sum =
      expected === undefined || expected.isComposite ? undefined : createChecksum(expected.algorithm);
    for (const part of parts) {
      await appendPart(context, upload, part, (chunk) => {
        sum?.update(chunk);
        return pending.write(chunk);
      });
    }
    const checksum = proveWhole(expected, sum);
    const info: ObjectInfo = {
      key,
      size: parts.reduce((sum, part) => sum + part.info.size, 0),
      etag: joinedEtag(parts),
      lastModifiedMs: context.nowMs(),
      headers: upload.headers,
      ...(checksum === undefined ? {} : { checksum }),
    };
    await pending.finish(info);
    if (bucket.uploads.get(upload.id) !== upload) throw noSuchUpload();
    checkWrite(bucket.index.get(key), conditions);
    bucket.commit(pending, info);
    await bucket.uploads.remove(upload);
    const fields = { Location: `/${context.bucketName}/${key}`, Bucket: context.bucketName, Key: key };
    return xmlAnswer(writeXml("CompleteMultipartUploadResult", { ...fields, ETag: quote(info.etag) }));
  } finally {
    await pending.discard();
  }
}

/** The MD5 of the parts' MD5s, then the number of parts: every S3 client expects this form of a multipart ETag. */
function joinedEtag(parts: readonly Part[]): string {
  const md5 = createHash("md5");
  for (const { info } of parts) md5.update(info.etag, "hex");
  return `${md5.digest("hex")}-${parts.length}`;
}

function proveWhole(
  expected: ObjectChecksum | undefined,
  sum: RunningChecksum | undefined,
): Checksum | undefined {
  if (expected === undefined || sum === undefined) return undefined;
  if (sum.digest() !== expected.value) throw badObjectDigest(expected.algorithm);
  return { algorithm: expected.algorithm, value: expected.value };
}

async function appendPart(
  context: ObjectContext,
  upload: Upload,
  part: Part,
  write: (chunk: Buffer) => Promise<void> | void,
) {
  const file = await openObjectFile(context.bucket.uploads.partPath(upload, part.number));
  if (file === undefined) throw invalidPart();
  try {
    if (file.info.etag !== part.info.etag) throw invalidPart();
    for await (const chunk of readData(file, 0, file.info.size)) await write(chunk);
  } finally {
    await file.handle.close();
  }
}

function chooseParts(context: ObjectContext, upload: Upload, text: string): Part[] {
  const root = parseXml(text);
  const listed = root.children.filter(({ name }) => name === "Part");
  if (root.name !== "CompleteMultipartUpload" || listed.length === 0) throw malformed();
  let before = 0;
  const parts = listed.map((element) => {
    const number = readNumber(element);
    if (number <= before) {
      throw new S3Error("InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    before = number;
    const info = upload.parts.get(number);
    if (info === undefined || !isSamePart(element, info)) throw invalidPart();
    return { number, info };
  });
  checkSizes(parts, context.limits.partBytesMin);
  return parts;
}

function readNumber(element: XmlElement): number {
  const text = childText(element, "PartNumber")?.trim() ?? "";
  if (!/^\d{1,5}$/.test(text)) throw malformed();
  return Number(text);
}

function isSamePart(element: XmlElement, info: ObjectInfo): boolean {
  const etag = childText(element, "ETag")?.trim().replaceAll('"', "");
  const { checksum } = info;
  const given =
    checksum === undefined ? undefined : childText(element, `Checksum${checksum.algorithm.toUpperCase()}`);
  return etag === info.etag && (given === undefined || given.trim() === checksum?.value);
}

/** All parts except the last must have the minimum size and the same size ("R2 error codes", 10011 and 10048). */
function checkSizes(parts: readonly Part[], partBytesMin: number): void {
  const whole = parts.slice(0, -1);
  if (whole.some(({ info }) => info.size < partBytesMin)) {
    throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.");
  }
  if (new Set(whole.map(({ info }) => info.size)).size > 1) {
    throw new S3Error("InvalidPart", "All non-trailing parts must have the same length.");
  }
}

const invalidPart = () =>
  new S3Error("InvalidPart", "One or more of the specified parts could not be found.");
