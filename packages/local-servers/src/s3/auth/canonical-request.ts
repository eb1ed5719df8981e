import { createHash } from "node:crypto";
import type { S3Request } from "../request.ts";

const hexOfByte = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
);
const unreserved = /^[A-Za-z0-9._~-]*$/;

/** Percent-encodes everything except letters, digits and `-._~`, as Signature Version 4 requires. */
export function encodeStrictly(text: string): string {
  if (unreserved.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => hexOfByte[character.charCodeAt(0)] ?? "",
  );
}

/** A path: each segment encoded, slashes kept, nothing normalised (S3 encodes once, other services twice). */
export function encodePath(path: string): string {
  return path.split("/").map(encodeStrictly).join("/");
}

/**
 * The hash of the canonical request ("Signature Version 4, create a canonical request"). Header bytes are
 * hashed as they arrived, except that spaces are trimmed and runs of spaces collapsed.
 */
export function hashCanonicalRequest(
  request: S3Request,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const headerLines = signedHeaders.map(
    (name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`,
  );
  const text = [
    request.method,
    encodePath(request.path),
    canonicalQuery(request),
    headerLines.join(""),
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
  return createHash("sha256").update(text, "latin1").digest("hex");
}

function canonicalQuery(request: S3Request): string {
  return request.query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
