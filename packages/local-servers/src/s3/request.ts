import type { IncomingMessage } from "node:http";
import { S3Error } from "./s3-error.ts";

/** A request as it arrived, split into its parts but not normalised. */
export type S3Request = {
  readonly method: string;
  /** Decoded, starting with `/`. */
  readonly path: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** Decoded, in the order sent. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Lower-case names; repeated headers joined by a comma; one character per byte. */
  readonly headers: ReadonlyMap<string, string>;
};

const keyBytesMax = 1024;

/**
 * Splits a request into its parts. Paths are path-style: `/bucket/key`, where everything after the second slash is
 * the key, including dots and repeated slashes.
 * @throws S3Error for a path that is not UTF-8 or a key that is not allowed (see `checkKey`)
 */
export function parseRequest(message: IncomingMessage): S3Request {
  const target = message.url ?? "/";
  if (!target.startsWith("/")) throw new S3Error("InvalidURI", "The request target must be a path.");
  const mark = target.indexOf("?");
  const path = decode(mark === -1 ? target : target.slice(0, mark));
  const slash = path.indexOf("/", 1);
  const bucket = slash === -1 ? path.slice(1) : path.slice(1, slash);
  const key = slash === -1 ? "" : path.slice(slash + 1);
  if (key !== "") checkKey(key);
  return {
    method: message.method ?? "GET",
    path,
    bucket: bucket === "" ? undefined : bucket,
    key: key === "" ? undefined : key,
    query: mark === -1 ? [] : parseQuery(target.slice(mark + 1)),
    headers: joinHeaders(message.rawHeaders),
  };
}

/** @throws S3Error if a key is longer than 1024 bytes or contains a NUL */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > keyBytesMax) {
    throw new S3Error("InvalidObjectName", "The key is longer than 1024 bytes.");
  }
  if (key.includes("\0")) throw new S3Error("InvalidObjectName", "The key holds a NUL character.");
}

/** The first value of a query parameter; names are case-sensitive. */
export function queryValue(request: Pick<S3Request, "query">, name: string): string | undefined {
  return request.query.find(([candidate]) => candidate === name)?.[1];
}

/**
 * A header, or the query parameter of that name: clients that presign move `x-amz-…` headers there.
 * Header text that was sent as UTF-8 stays one character per byte.
 */
export function headerOrQuery(request: S3Request, name: string): string | undefined {
  return (
    request.headers.get(name) ??
    request.query.find(([candidate]) => candidate.toLowerCase() === name)?.[1] ??
    undefined
  );
}

function parseQuery(text: string): (readonly [string, string])[] {
  return text
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const equals = part.indexOf("=");
      const name = equals === -1 ? part : part.slice(0, equals);
      const value = equals === -1 ? "" : part.slice(equals + 1);
      return [decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " "))] as const;
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidURI", "The request target is not valid percent-encoded UTF-8.");
  }
}

function joinHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}
