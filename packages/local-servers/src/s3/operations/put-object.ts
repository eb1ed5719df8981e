import type { ObjectInfo } from "../store/object-info.ts";
import { type ObjectContext, quote, type S3Answer } from "./context.ts";
import { readObjectHeaders } from "./object-headers.ts";
import { checkWrite, readPreconditions } from "./preconditions.ts";
import { requireRoom } from "./require-room.ts";

/** PutObject. The old object stays until the new one is complete and verified. */
export async function putObject(context: ObjectContext): Promise<S3Answer> {
  const { bucket, key, request } = context;
  const headers = readObjectHeaders(request);
  const conditions = readPreconditions(request.headers);
  checkWrite(bucket.index.get(key), conditions);
  const body = context.openBody(context.limits.uploadBytesMax);
  requireRoom(context, body.length, bucket.index.get(key)?.size ?? 0);
  const pending = bucket.begin();
  try {
    const { bytes, md5, checksum } = await body.read(pending.write);
    const info: ObjectInfo = {
      key,
      size: bytes,
      etag: md5.toString("hex"),
      lastModifiedMs: context.nowMs(),
      headers,
      ...(checksum === undefined ? {} : { checksum }),
    };
    await pending.finish(info);
    // Checked again with no await before the commit, so that of two simultaneous conditional writes only one succeeds.
    checkWrite(bucket.index.get(key), conditions);
    bucket.commit(pending, info);
    return { status: 200, headers: writtenHeaders(info) };
  } finally {
    await pending.discard();
  }
}

/** The headers of the answer to an upload: the ETag and the verified checksum. */
export function writtenHeaders(info: ObjectInfo): Record<string, string> {
  const headers: Record<string, string> = { etag: quote(info.etag) };
  if (info.checksum !== undefined) headers[`x-amz-checksum-${info.checksum.algorithm}`] = info.checksum.value;
  return headers;
}
