import { encodePath } from "../auth/canonical-request.ts";
import { queryValue, type S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { BucketContext } from "./context.ts";

/** A number of entries, from 0 to a full page; a larger number means a full page, as in S3. */
export function readCount({ request, limits: { entriesMax } }: BucketContext, name: string): number {
  const text = queryValue(request, name);
  if (text === undefined || text === "") return entriesMax;
  if (!/^\d{1,10}$/.test(text)) throw new S3Error("InvalidArgument", `${name} must be a number.`);
  return Math.min(Number(text), entriesMax);
}

export type Encoding = {
  /** The value of `EncodingType` in the answer; `undefined` leaves it out. */
  readonly name: string | undefined;
  readonly encode: (text: string) => string;
};

/** How the answer writes keys: unchanged, or percent-encoded if the client asks for `encoding-type=url`. */
export function readEncoding(request: S3Request): Encoding {
  const name = queryValue(request, "encoding-type");
  if (name === undefined || name === "") return { name: undefined, encode: (text) => text };
  if (name !== "url") throw new S3Error("InvalidArgument", "encoding-type must be url.");
  return { name, encode: encodePath };
}

/** A continuation token, opaque to clients: the next page starts after `last`. */
export const toToken = (last: string) => Buffer.from(last).toString("base64url");

export function fromToken(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (token === "" || toToken(text) !== token) {
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
  }
  return text;
}
