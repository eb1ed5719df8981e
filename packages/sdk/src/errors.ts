import type { ErrorCode, ErrorDetails } from "@keyloan/contract";

/** What can go wrong before the broker had a say. */
export type ClientErrorCode =
  | "invalid_url"
  | "insecure_url"
  | "invalid_token"
  | "invalid_argument"
  | "not_reachable"
  | "connection_lost"
  | "tls_failed"
  | "timeout"
  | "aborted"
  | "response_too_large"
  | "not_a_broker";

/** A broker newer than this client may know codes that this client does not. */
export type KeyloanErrorCode = ErrorCode | ClientErrorCode | (string & Record<never, never>);

export type KeyloanErrorOptions = {
  readonly remedy?: string | undefined;
  readonly docsUrl?: string | undefined;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly details?: ErrorDetails | undefined;
  readonly retryAfterSeconds?: number | undefined;
};

/**
 * The one error this package throws: the broker's own answer, or what kept it from answering.
 * It never carries the token, a request body or an answer that is not the broker's error envelope.
 */
export class KeyloanError extends Error {
  override readonly name = "KeyloanError";
  readonly code: KeyloanErrorCode;
  /** What to do next, in one or two sentences. */
  readonly remedy: string | undefined;
  readonly docsUrl: string | undefined;
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly details: ErrorDetails | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: KeyloanErrorCode, message: string, options: KeyloanErrorOptions = {}) {
    super(message);
    this.code = code;
    this.remedy = options.remedy;
    this.docsUrl = options.docsUrl;
    this.status = options.status;
    this.requestId = options.requestId;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** The error as plain data, without the members that are not set and without the stack. */
  toJSON(): Record<string, unknown> {
    const { code, message, remedy, docsUrl, status, requestId, details, retryAfterSeconds } = this;
    const all = { code, message, remedy, docsUrl, status, requestId, details, retryAfterSeconds };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }
}
