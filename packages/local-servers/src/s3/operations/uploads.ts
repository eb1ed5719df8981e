import { queryValue } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { Upload } from "../store/uploads.ts";
import { writeXml } from "../xml.ts";
import { type ObjectContext, quote, type S3Answer, xmlAnswer } from "./context.ts";
import { readCount, readEncoding } from "./list-query.ts";
import { readObjectHeaders } from "./object-headers.ts";

/** CreateMultipartUpload. Returns the id of the new upload. */
export async function createUpload(context: ObjectContext): Promise<S3Answer> {
  const { bucket, bucketName, key, request } = context;
  const upload = bucket.uploads.create(key, readObjectHeaders(request), context.nowMs());
  const fields = { Bucket: bucketName, Key: key, UploadId: upload.id };
  return xmlAnswer(writeXml("InitiateMultipartUploadResult", fields));
}

/** AbortMultipartUpload. */
export async function abortUpload(context: ObjectContext): Promise<S3Answer> {
  await context.bucket.uploads.remove(findUpload(context));
  return { status: 204 };
}

/** ListParts. */
export async function listParts(context: ObjectContext): Promise<S3Answer> {
  const upload = findUpload(context);
  const encoding = readEncoding(context.request);
  const max = readCount(context, "max-parts");
  const marker = Number(queryValue(context.request, "part-number-marker") ?? 0);
  const after = [...upload.parts].filter(([number]) => number > marker).sort(([a], [b]) => a - b);
  const page = after.slice(0, max);
  const isTruncated = after.length > page.length && max > 0;
  return xmlAnswer(
    writeXml("ListPartsResult", {
      Bucket: context.bucketName,
      Key: encoding.encode(upload.key),
      UploadId: upload.id,
      EncodingType: encoding.name,
      StorageClass: "STANDARD",
      PartNumberMarker: Number.isInteger(marker) ? marker : 0,
      NextPartNumberMarker: isTruncated ? page.at(-1)?.[0] : undefined,
      MaxParts: max,
      IsTruncated: isTruncated,
      Part: page.map(([number, part]) => ({
        PartNumber: number,
        LastModified: new Date(part.lastModifiedMs).toISOString(),
        ETag: quote(part.etag),
        Size: part.size,
      })),
    }),
  );
}

/** The upload that a request names. An upload of another key counts as not found, even if the id is right. */
export function findUpload({ bucket, key, request }: ObjectContext): Upload {
  const upload = bucket.uploads.get(queryValue(request, "uploadId") ?? "");
  if (upload === undefined || upload.key !== key) throw noSuchUpload();
  return upload;
}

export const noSuchUpload = () =>
  new S3Error("NoSuchUpload", "The specified multipart upload does not exist.");
