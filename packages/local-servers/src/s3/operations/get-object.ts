import { S3Error } from "../s3-error.ts";
import type { OpenObject } from "../store/object-file.ts";
import { parseRange } from "./byte-range.ts";
import { type ObjectContext, quote, type S3Answer } from "./context.ts";
import { readOverrides, writeObjectHeaders } from "./object-headers.ts";
import { checkRead, readPreconditions } from "./preconditions.ts";

/** GetObject and HeadObject. */
export async function getObject(context: ObjectContext): Promise<S3Answer> {
  const object = await context.bucket.open(context.key);
  if (object === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
  let isHandedOn = false;
  try {
    const answer = answerWith(context, object);
    isHandedOn = typeof answer.body === "object" && "handle" in answer.body;
    return answer;
  } finally {
    if (!isHandedOn) await object.handle.close();
  }
}

function answerWith({ request }: ObjectContext, object: OpenObject): S3Answer {
  const { info, data } = object;
  const headers = { ...writeObjectHeaders(info), ...readOverrides(request) };
  if (checkRead(info, readPreconditions(request.headers)) === "not_modified") {
    return {
      status: 304,
      headers: { etag: quote(info.etag), "last-modified": headers["last-modified"] ?? "" },
    };
  }
  const range = isRangeValid(request.headers.get("if-range"), info.etag, info.lastModifiedMs)
    ? parseRange(request.headers.get("range"), info.size)
    : undefined;
  const { start, length } = range ?? { start: 0, length: info.size };
  headers["content-length"] = String(length);
  if (range !== undefined) headers["content-range"] = `bytes ${start}-${start + length - 1}/${info.size}`;
  else if (info.checksum !== undefined && request.headers.get("x-amz-checksum-mode") === "ENABLED") {
    headers[`x-amz-checksum-${info.checksum.algorithm}`] = info.checksum.value;
  }
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD") return { status, headers };
  if (data !== undefined) return { status, headers, body: data.subarray(start, start + length) };
  return { status, headers, body: { handle: object.handle, start, length } };
}

function isRangeValid(ifRange: string | undefined, etag: string, lastModifiedMs: number): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === quote(etag);
  return Date.parse(ifRange) === Math.floor(lastModifiedMs / 1000) * 1000;
}
