/** Every code the API can answer with, and the HTTP status it means. Nothing else decides a status. */
export const errorStatuses = {
  malformed_request: 400,
  unauthenticated: 401,
  token_expired: 401,
  session_expired: 401,
  handoff_used: 401,
  handoff_expired: 401,
  forbidden: 403,
  person_decides: 403,
  person_only: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  idempotency_conflict: 409,
  not_ready: 409,
  settings_changed: 409,
  gates_failed: 409,
  not_revertible: 409,
  build_closed: 409,
  database_archived: 409,
  target_not_empty: 409,
  not_faithful: 409,
  not_supported: 409,
  already_running: 409,
  org_key_missing: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_input: 422,
  unknown_connector: 422,
  key_rejected: 422,
  rate_limited: 429,
  internal: 500,
  provider_failed: 502,
  audit_degraded: 503,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatuses;

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The one error the broker throws on purpose. It never carries a secret or a provider's words. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly details: ErrorDetails | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy?: string; details?: ErrorDetails; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export type ProviderErrorCode =
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "quota_exceeded"
  | "rejected"
  | "rate_limited"
  | "unavailable"
  | "timeout"
  | "network"
  | "invalid_response";

const retryableCodes: ReadonlySet<ProviderErrorCode> = new Set([
  "rate_limited",
  "unavailable",
  "timeout",
  "network",
]);

/**
 * A provider did not do what was asked. It tells which provider, the HTTP status and the provider's
 * request id, and a remedy, and never the provider's body.
 */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly provider: string;
  readonly code: ProviderErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly remedy: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    provider: string,
    code: ProviderErrorCode,
    message: string,
    options: { status?: number; requestId?: string; remedy?: string; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.provider = provider;
    this.code = code;
    this.status = options.status;
    this.requestId = options.requestId;
    this.remedy = options.remedy ?? providerRemedies[code];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** Whether the same call may succeed later without anyone changing anything. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}

const providerRemedies: Readonly<Record<ProviderErrorCode, string>> = {
  unauthorized: "The provider refuses the org key: set a new one with `keyloan org-keys set`.",
  forbidden: "The org key lacks a permission for this call: grant it at the provider, or set another key.",
  not_found: "Something that the org key names does not exist at the provider: check the key's fields.",
  conflict:
    "Something with that name already exists and was not made by Keyloan: remove it at the provider, or make a new build.",
  quota_exceeded: "The provider's quota is used up: close builds that are done, or upgrade the plan.",
  rejected: "The provider refuses the request: check the options of this connector.",
  rate_limited: "The provider limits the rate: the broker tries again automatically.",
  unavailable: "The provider is down: the broker tries again automatically.",
  timeout: "The provider did not answer in time: the broker tries again automatically.",
  network: "The provider could not be reached: check the network; the broker tries again automatically.",
  invalid_response:
    "The provider gave an unexpected answer: check its status page and the configured address.",
};

/** The error part of every answer that is not 2xx. */
export type ErrorEnvelope = {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly remedy?: string;
    readonly docsUrl?: string;
    readonly details?: ErrorDetails;
    readonly requestId: string;
    /** What the client called its request in the header `x-request-id`. */
    readonly clientRequestId?: string;
  };
};
