import type { S3Action } from "../actions.ts";
import { requireAction, requireKey } from "../policy.ts";
import { checkKey } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { OpenObject } from "../store/object-file.ts";
import type { BucketContext } from "./context.ts";
import { checkRead, readPreconditions } from "./preconditions.ts";

/**
 * Opens the object that `x-amz-copy-source` names. The sender must be allowed to read it, because a copy
 * reads it. The caller closes the handle.
 */
export async function openCopySource(
  context: BucketContext,
  action: S3Action,
  source: string,
): Promise<OpenObject> {
  const { bucketName, key } = parseSource(source);
  requireKey(context.policy, action, bucketName, key);
  requireAction(context.policy, "GetObject", bucketName);
  const bucket = context.buckets.get(bucketName);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", "The specified bucket does not exist.");
  const object = await bucket.open(key);
  if (object === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
  try {
    const conditions = readPreconditions(context.request.headers, "x-amz-copy-source-");
    if (checkRead(object.info, conditions) === "send") return object;
    throw new S3Error("PreconditionFailed", "The source of the copy does not meet the conditions.");
  } catch (error) {
    await object.handle.close();
    throw error;
  }
}

/** Reads part of an open object in chunks of at most 256 KiB. */
export async function* readData(object: OpenObject, start: number, length: number): AsyncGenerator<Buffer> {
  for (let position = start; position < start + length; ) {
    const size = Math.min(256 * 1024, start + length - position);
    const { bytesRead, buffer } = await object.handle.read(Buffer.allocUnsafe(size), 0, size, position);
    if (bytesRead === 0) throw new Error("an object file is shorter than its facts say");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The bucket and key of a copy source: `/bucket/key` or `bucket/key`, percent-encoded. */
export function parseSource(source: string): { bucketName: string; key: string } {
  if (/\?versionId=/.test(source)) throw new S3Error("NotImplemented", "Versions are not implemented");
  const path = decode(source).replace(/^\//, "");
  const slash = path.indexOf("/");
  const key = path.slice(slash + 1);
  if (slash < 1 || key === "") throw invalidSource();
  checkKey(key);
  return { bucketName: path.slice(0, slash), key };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidSource();
  }
}

const invalidSource = () => new S3Error("InvalidArgument", "x-amz-copy-source must be bucket/key.");
