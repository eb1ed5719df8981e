import { ProviderError } from "@keyloan/contract";
import { codeOfStatus, parseRetryAfter } from "../kit/http.ts";

export const provider = "r2";

/** The codes of R2's error documents that mean something to us; every other is `undefined`. */
const knownCodes = [
  "AccessDenied",
  "ExpiredRequest",
  "NoSuchBucket",
  "NoSuchKey",
  "NoSuchUpload",
  "NotEntitled",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "Unauthorized",
] as const;
export type R2ErrorCode = (typeof knownCodes)[number];

/** A ProviderError that knows which of R2's own codes it stands for. */
export class R2Error extends ProviderError {
  readonly r2Code: R2ErrorCode | undefined;

  constructor(answer: FailedAnswer) {
    const r2Code = readCode(answer.text);
    const retryAfterSeconds = parseRetryAfter(answer.retryAfter);
    // A false secret is answered 403 like a missing permission, yet only a new key mends it.
    const code = r2Code === "SignatureDoesNotMatch" ? "unauthorized" : codeOfStatus(answer.status);
    super(provider, code, `answered ${answer.status}`, {
      status: answer.status,
      ...(isRequestId(answer.requestId) ? { requestId: answer.requestId } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
    this.r2Code = r2Code;
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
