import { codeOfStatus, ProviderError, type ProviderErrorCode, parseRetryAfter } from "@keyloan/contract";

export const provider = "r2";

/** The codes of R2's error documents that mean something to us; every other is `undefined`. */
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
export type R2ErrorCode = (typeof knownCodes)[number];

/** A ProviderError that knows which of R2's own codes it stands for. */
export class R2Error extends ProviderError {
  readonly r2Code: R2ErrorCode | undefined;

  constructor(answer: FailedAnswer) {
    const r2Code = readCode(answer.text);
    const retryAfterSeconds = parseRetryAfter(answer.retryAfter);
    super(provider, codeOf(r2Code, answer.status), `answered ${answer.status}`, {
      status: answer.status,
      ...(isRequestId(answer.requestId) ? { requestId: answer.requestId } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
    this.r2Code = r2Code;
  }
}

function codeOf(r2Code: R2ErrorCode | undefined, status: number): ProviderErrorCode {
  switch (r2Code) {
    // A false secret is answered 403 like a missing permission, yet only a new key fixes it.
    case "SignatureDoesNotMatch":
      return "unauthorized";
    // What arrived is not what was sent; the bytes were right when they were signed.
    case "BadDigest":
    case "XAmzContentSHA256Mismatch":
      return "invalid_response";
    // R2 itself has no limit; stores of the kind that have one answer so.
    case "QuotaExceeded":
    case "XMinioStorageFull":
      return "quota_exceeded";
    default:
      return status === 507 ? "quota_exceeded" : codeOfStatus(status);
  }
}

export type FailedAnswer = {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly requestId: string | null;
  readonly text: string;
};

export function invalidResponse(message = "the answer has an unexpected shape"): ProviderError {
  return new ProviderError(provider, "invalid_response", message);
}

/** Whether an error is R2's answer with one of these codes. */
export function isR2Error(error: unknown, ...codes: readonly R2ErrorCode[]): error is R2Error {
  return error instanceof R2Error && error.r2Code !== undefined && codes.includes(error.r2Code);
}

function readCode(text: string): R2ErrorCode | undefined {
  const found = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1];
  return knownCodes.find((code) => code === found);
}

const isRequestId = (text: string | null): text is string => text !== null && /^[\w.:-]{1,128}$/.test(text);

/** For calls where "not there" is success. */
export function unlessGone(code: "NoSuchKey" | "NoSuchUpload"): (error: unknown) => undefined {
  return (error) => {
    if (!isR2Error(error, code)) throw error;
  };
}
