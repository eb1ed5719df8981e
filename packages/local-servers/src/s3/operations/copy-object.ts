import { createHash } from "node:crypto";
import { headerOrQuery } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { ObjectHeaders, ObjectInfo } from "../store/object-info.ts";
import { writeXml } from "../xml.ts";
import { type ObjectContext, quote, type S3Answer, xmlAnswer } from "./context.ts";
import { openCopySource, parseSource, readData } from "./copy-source.ts";
import { readObjectHeaders } from "./object-headers.ts";
import { checkWrite, readPreconditions } from "./preconditions.ts";
import { requireRoom } from "./require-room.ts";

/** CopyObject. The sender must be allowed to read the source and to write the target. */
export async function copyObject(context: ObjectContext, sourceText: string): Promise<S3Answer> {
  const { request, bucket, key } = context;
  const given = readObjectHeaders(request);
  const replaces = readDirective(headerOrQuery(request, "x-amz-metadata-directive"));
  const named = parseSource(sourceText);
  const source = await openCopySource(context, "CopyObject", sourceText);
  const pending = bucket.begin();
  try {
    if (named.bucketName === context.bucketName && named.key === key && !replaces) {
      throw new S3Error("InvalidRequest", "This copy request is illegal: it copies an object to itself.");
    }
    const conditions = readPreconditions(request.headers);
    checkWrite(bucket.index.get(key), conditions);
    requireRoom(context, source.info.size, bucket.index.get(key)?.size ?? 0);
    const md5 = createHash("md5");
    for await (const chunk of readData(source, 0, source.info.size)) {
      md5.update(chunk);
      await pending.write(chunk);
    }
    const info: ObjectInfo = {
      key,
      size: source.info.size,
      etag: md5.digest("hex"),
      lastModifiedMs: context.nowMs(),
      headers: replaces ? given : withStorageClass(source.info.headers, given),
      ...(source.info.checksum === undefined ? {} : { checksum: source.info.checksum }),
    };
    await pending.finish(info);
    checkWrite(bucket.index.get(key), conditions);
    bucket.commit(pending, info);
    return xmlAnswer(writeXml("CopyObjectResult", copyResult(info)));
  } finally {
    await source.handle.close();
    await pending.discard();
  }
}

/** The fields of the answer after an object or a part was copied. */
export const copyResult = (info: ObjectInfo) => ({
  ETag: quote(info.etag),
  LastModified: new Date(info.lastModifiedMs).toISOString(),
});

function readDirective(directive = "COPY"): boolean {
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error("InvalidArgument", "x-amz-metadata-directive must be COPY or REPLACE.");
  }
  return directive === "REPLACE";
}

// The request decides the storage class; it is not copied from the source.
function withStorageClass(source: ObjectHeaders, given: ObjectHeaders): ObjectHeaders {
  const { "x-amz-storage-class": _, ...standard } = source.standard;
  const storageClass = given.standard["x-amz-storage-class"];
  return {
    standard: storageClass === undefined ? standard : { ...standard, "x-amz-storage-class": storageClass },
    metadata: source.metadata,
  };
}
