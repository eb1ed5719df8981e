import { codeOfStatus, ProviderError, type ProviderErrorCode, parseRetryAfter } from "@keyloan/contract";
import type { Answer } from "./send.ts";

/** The codes of error documents that this package uses; any other code becomes `undefined`. */
const knownCodes = [
  "AccessDenied",
  "BadDigest",
  "ExpiredRequest",
  "NoSuchBucket",
  "NoSuchKey",
  "NoSuchUpload",
  "NotEntitled",
  "QuotaExceeded",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "Unauthorized",
  "XAmzContentSHA256Mismatch",
  "XMinioStorageFull",
] as const;
export type S3ErrorCode = (typeof knownCodes)[number];

/** A store's answer that is not 2xx: contains the store's own code if we know it, and nothing else of the body. */
export class S3Error extends ProviderError {
  readonly s3Code: S3ErrorCode | undefined;

  /** @param store the store's name in errors */
  constructor(store: string, { status, headers, bytes }: Answer) {
    const s3Code = readCode(Buffer.from(bytes).toString());
    const retryAfterSeconds = parseRetryAfter(headers.get("retry-after"));
    const requestId = headers.get("x-amz-request-id") ?? headers.get("cf-ray");
    super(store, codeOf(s3Code, status), `answered ${status}`, {
      status,
      ...(isRequestId(requestId) ? { requestId } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
    this.s3Code = s3Code;
  }
}

function codeOf(s3Code: S3ErrorCode | undefined, status: number): ProviderErrorCode {
  switch (s3Code) {
    // Stores answer 403 to a wrong secret, as to a missing permission, but only a new key fixes it.
    case "SignatureDoesNotMatch":
      return "unauthorized";
    // The bytes were right when they were signed, but the store received others.
    case "BadDigest":
    case "XAmzContentSHA256Mismatch":
      return "invalid_response";
    case "QuotaExceeded":
    case "XMinioStorageFull":
      return "quota_exceeded";
    default:
      return status === 507 ? "quota_exceeded" : codeOfStatus(status);
  }
}

export function invalidResponse(
  store: string,
  message = "the answer has an unexpected shape",
): ProviderError {
  return new ProviderError(store, "invalid_response", message);
}

/** Whether an error is a store's answer with one of these codes. */
export function isS3Error(error: unknown, ...codes: readonly S3ErrorCode[]): error is S3Error {
  return error instanceof S3Error && error.s3Code !== undefined && codes.includes(error.s3Code);
}

function readCode(text: string): S3ErrorCode | undefined {
  const found = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1];
  return knownCodes.find((code) => code === found);
}

const isRequestId = (text: string | null): text is string => text !== null && /^[\w.:-]{1,128}$/.test(text);

/** Ignores the error if the object or upload does not exist, for calls where that is success. */
export function unlessGone(code: "NoSuchKey" | "NoSuchUpload"): (error: unknown) => undefined {
  return (error) => {
    if (!isS3Error(error, code)) throw error;
  };
}
