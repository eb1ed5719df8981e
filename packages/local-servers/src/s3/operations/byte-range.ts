import { S3Error } from "../s3-error.ts";

export type ByteRange = { readonly start: number; readonly length: number };

/**
 * The part of an object a `Range` header asks for; `undefined` means the whole: no header, several
 * ranges, or a text that is no range (RFC 9110 §14.2).
 * @throws S3Error `InvalidRange` for a range that lies outside
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
