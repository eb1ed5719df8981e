import { S3Error } from "../s3-error.ts";
import type { ObjectSummary } from "../store/object-info.ts";

/** The conditional headers for a request's own object, or for the source of a copy. */
export type Preconditions = {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
};

/** @param prefix "" for the request itself, `x-amz-copy-source-` for the source of a copy */
export function readPreconditions(headers: ReadonlyMap<string, string>, prefix = ""): Preconditions {
  return {
    ifMatch: headers.get(`${prefix}if-match`),
    ifNoneMatch: headers.get(`${prefix}if-none-match`),
    ifModifiedSince: headers.get(`${prefix}if-modified-since`),
    ifUnmodifiedSince: headers.get(`${prefix}if-unmodified-since`),
  };
}

/** Checks the conditions of a read, in the order of RFC 9110 §13.2.2. @throws S3Error `PreconditionFailed` */
export function checkRead(object: ObjectSummary, conditions: Preconditions): "send" | "not_modified" {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined && !matches(ifMatch, object)) throw failed();
  if (ifMatch === undefined && isAfter(object, ifUnmodifiedSince)) throw failed();
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object) ? "not_modified" : "send";
  const since = parseDate(ifModifiedSince);
  return since !== undefined && seconds(object) <= since ? "not_modified" : "send";
}

/**
 * Refuses a write if the current object does not meet its conditions.
 * @throws S3Error `PreconditionFailed`, or `NoSuchKey` for `If-Match` if there is no object
 */
export function checkWrite(object: ObjectSummary | undefined, conditions: Preconditions): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined && object === undefined)
    throw new S3Error("NoSuchKey", "The key does not exist.");
  if (object === undefined) return;
  if (ifMatch !== undefined && !matches(ifMatch, object)) throw failed();
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, object)) throw failed();
  if (isAfter(object, ifUnmodifiedSince)) throw failed();
  const since = parseDate(ifModifiedSince);
  if (since !== undefined && seconds(object) <= since) throw failed();
}

const failed = () =>
  new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold.");

function matches(list: string, { etag }: ObjectSummary): boolean {
  return list
    .split(",")
    .map((entry) => entry.trim().replace(/^W\//, "").replaceAll('"', ""))
    .some((entry) => entry === "*" || entry === etag);
}

function isAfter(object: ObjectSummary, date: string | undefined): boolean {
  const limit = parseDate(date);
  return limit !== undefined && seconds(object) > limit;
}

// HTTP dates have whole seconds, so an object written within a second is not "after" that second.
const seconds = (object: ObjectSummary) => Math.floor(object.lastModifiedMs / 1000);

function parseDate(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}
