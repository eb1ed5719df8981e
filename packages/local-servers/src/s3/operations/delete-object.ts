import { allowsKey, requireAction } from "../policy.ts";
import { checkKey } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { childText, malformed, parseXml, writeXml } from "../xml.ts";
import { type BucketContext, type ObjectContext, type S3Answer, xmlAnswer } from "./context.ts";
import { checkWrite, readPreconditions } from "./preconditions.ts";
import { readText } from "./read-text.ts";

/** DeleteObject. It succeeds even if the key does not exist. */
export async function deleteObject({ bucket, key, request }: ObjectContext): Promise<S3Answer> {
  checkWrite(bucket.index.get(key), readPreconditions(request.headers));
  bucket.remove(key);
  return { status: 204 };
}

/** DeleteObjects. Each key is authorized separately; a refused key is reported inside a 200 answer. */
export async function deleteObjects(context: BucketContext): Promise<S3Answer> {
  requireAction(context.policy, "DeleteObjects", context.bucketName);
  const { keys, isQuiet } = readKeys(await readText(context), context.limits.entriesMax);
  const deleted: { Key: string }[] = [];
  const errors: { Key: string; Code: string; Message: string }[] = [];
  for (const key of keys) {
    if (!allowsKey(context.policy, key)) {
      errors.push({ Key: key, Code: "AccessDenied", Message: "Access Denied" });
      continue;
    }
    context.bucket.remove(key);
    deleted.push({ Key: key });
  }
  return xmlAnswer(writeXml("DeleteResult", { Deleted: isQuiet ? [] : deleted, Error: errors }));
}

function readKeys(text: string, keysMax: number): { keys: string[]; isQuiet: boolean } {
  const root = parseXml(text);
  const objects = root.children.filter(({ name }) => name === "Object");
  if (root.name !== "Delete" || objects.length === 0 || objects.length > keysMax) throw malformed();
  const keys = objects.map((object) => {
    const key = childText(object, "Key");
    if (key === undefined || key === "") throw malformed();
    if (object.children.some(({ name }) => name !== "Key")) {
      throw new S3Error("NotImplemented", "Only keys can be given for an object to delete");
    }
    checkKey(key);
    return key;
  });
  return { keys, isQuiet: childText(root, "Quiet") === "true" };
}
