import { headerOrQuery, queryValue, type S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { ObjectHeaders, ObjectInfo } from "../store/object-info.ts";
import { quote } from "./context.ts";

const kept = [
  "content-type",
  "content-disposition",
  "content-encoding",
  "content-language",
  "cache-control",
  "expires",
  "x-amz-storage-class",
];
const metadataPrefix = "x-amz-meta-";
const metadataBytesMax = 8192;

/**
 * The headers of a request that are stored with an object.
 * @throws S3Error for headers that R2 does not implement, so that no client believes they had an effect
 */
export function readObjectHeaders(request: S3Request): ObjectHeaders {
  refuseUnsupported(request);
  const standard: Record<string, string> = {};
  for (const name of kept) {
    const value = name.startsWith("x-amz-") ? headerOrQuery(request, name) : request.headers.get(name);
    const cleaned = name === "content-encoding" ? withoutChunking(value) : value;
    if (cleaned !== undefined && cleaned !== "") standard[name] = cleaned;
  }
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of amzHeaders(request)) {
    if (!name.startsWith(metadataPrefix)) continue;
    metadata[name.slice(metadataPrefix.length)] = value;
    bytes += name.length - metadataPrefix.length + value.length;
  }
  if (bytes > metadataBytesMax) {
    throw new S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.");
  }
  return { standard, metadata };
}

/** The headers of an answer that contains the whole object. */
export function writeObjectHeaders(info: ObjectInfo): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": "application/octet-stream",
    ...info.headers.standard,
    etag: quote(info.etag),
    "last-modified": new Date(info.lastModifiedMs).toUTCString(),
    "accept-ranges": "bytes",
  };
  if (headers["x-amz-storage-class"] === "STANDARD") delete headers["x-amz-storage-class"];
  for (const [name, value] of Object.entries(info.headers.metadata))
    headers[`${metadataPrefix}${name}`] = value;
  return headers;
}

/** The headers that a GET asks to override, with query parameters such as `response-content-type`. */
export function readOverrides(request: S3Request): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const name of kept) {
    const value = queryValue(request, `response-${name}`);
    if (value !== undefined) overrides[name] = toHeaderText(value);
  }
  return overrides;
}

function* amzHeaders(request: S3Request): Generator<readonly [string, string]> {
  for (const [name, value] of request.headers) if (name.startsWith("x-amz-")) yield [name, value];
  for (const [name, value] of request.query) {
    const lower = name.toLowerCase();
    if (lower.startsWith("x-amz-") && !request.headers.has(lower)) yield [lower, toHeaderText(value)];
  }
}

const unsupported =
  /^x-amz-(?:grant-|server-side-encryption|copy-source-server-side-encryption|object-lock-|tagging|website-redirect-location|write-offset-bytes|acl$|bypass-)/;
const storageClasses = ["STANDARD", "STANDARD_IA"];

function refuseUnsupported(request: S3Request): void {
  for (const [name, value] of amzHeaders(request)) {
    if (name === "x-amz-acl" && value === "private") continue;
    if (name === "x-amz-server-side-encryption" && value === "AES256") continue;
    if (name === "x-amz-tagging-directive" && value === "COPY") continue;
    if (unsupported.test(name)) throw new S3Error("NotImplemented", `Header '${name}' is not implemented`);
    if (name === "x-amz-storage-class" && !storageClasses.includes(value)) {
      throw new S3Error("InvalidStorageClass", "The storage class must be STANDARD or STANDARD_IA.");
    }
  }
}

function withoutChunking(value: string | undefined): string | undefined {
  return value
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "aws-chunked" && part !== "")
    .join(",");
}

function toHeaderText(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a header must not hold them
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    throw new S3Error("InvalidArgument", "A header value holds a control character.");
  }
  return Buffer.from(value).toString("latin1");
}
