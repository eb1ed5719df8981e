import { S3Error } from "../s3-error.ts";

export type ByteRange = { readonly start: number; readonly length: number };

/**
 * The part of an object that a `Range` header asks for. `undefined` means the whole object: there is no header,
 * it has several ranges, or it is not a range (RFC 9110 §14.2).
 * @throws S3Error `InvalidRange` for a range outside the object
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const found = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header?.trim() ?? "");
  if (found === null) return undefined;
  const [, first, last, suffix] = found;
  const start = first === undefined ? Math.max(0, size - Number(suffix)) : Number(first);
  const end = first === undefined || last === undefined ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== undefined && last !== undefined && Number(last) < start) return undefined;
  if (start >= size) {
    throw new S3Error("InvalidRange", "The requested range is not satisfiable", {
      "content-range": `bytes */${size}`,
    });
  }
  return { start, length: end - start + 1 };
}
