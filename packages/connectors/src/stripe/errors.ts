import { ProviderError } from "@keyloan/contract";
import { statusError } from "../kit/http.ts";

/** What a Stripe failure tells, with nothing of its text but names that Stripe itself coined. */
export type StripeFailure = {
  readonly error: ProviderError;
  /** Stripe's error code, such as `resource_already_exists`. */
  readonly code: string | undefined;
  /** The `rak_…` permission a restricted key lacks. */
  readonly permission: string | undefined;
  /** The account a permission error names. */
  readonly account: string | undefined;
  /** A failure that an idempotency key stored: the same key gives it for a day. */
  readonly replayed: boolean;
  readonly lookupKeyTaken: boolean;
  /** Stripe itself says that what was asked cannot be, whoever asks. */
  readonly isInvalidRequest: boolean;
};

/** Reads whatever the Stripe SDK threw; a ProviderError of the transport inside it comes out. */
export function readFailure(thrown: unknown): StripeFailure {
  const fields = fieldsOf(thrown);
  const none = { code: undefined, permission: undefined, account: undefined };
  const transport = [thrown, fields.detail, fields.cause].find((value) => value instanceof ProviderError);
  if (transport instanceof ProviderError) {
    return { error: transport, ...none, replayed: false, lookupKeyTaken: false, isInvalidRequest: false };
  }
  const message = textOf(fields.message) ?? "";
  const code = /^[a-z_]{1,64}$/.exec(textOf(fields.code) ?? "")?.[0];
  const permission = /'(rak_[a-z0-9_]{1,80})' permission/.exec(message)?.[1];
  return {
    error: providerError(fields, code, permission),
    code,
    permission,
    account: /account '(acct_[A-Za-z0-9]{1,60})'/.exec(message)?.[1],
    replayed: headersOf(fields).get("idempotent-replayed") === "true",
    lookupKeyTaken: fields.statusCode === 400 && /already uses that lookup key/.test(message),
    isInvalidRequest: fields.rawType === "invalid_request_error",
  };
}

function providerError(
  fields: Readonly<Record<string, unknown>>,
  code: string | undefined,
  permission: string | undefined,
): ProviderError {
  const { statusCode } = fields;
  if (typeof statusCode !== "number") {
    return new ProviderError("stripe", "invalid_response", "the answer could not be read");
  }
  const headers = headersOf(fields);
  const requestId = /^[\w.:-]{1,128}$/.exec(textOf(fields.requestId) ?? "")?.[0];
  // Stripe documents 409 as "conflicts with another request": two calls at once, not a name already taken.
  const retryLater = statusCode === 409 ? 503 : statusCode;
  const known = statusError("stripe", {
    status: code === "rate_limit" ? 429 : retryLater,
    headers,
    ...(requestId === undefined ? {} : { requestId }),
  });
  const { retryAfterSeconds } = known;
  return new ProviderError("stripe", known.code, `answered ${statusCode}`, {
    status: statusCode,
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(permission === undefined
      ? {}
      : { remedy: `Grant the permission ${permission} to the restricted key in the Stripe dashboard.` }),
  });
}

function headersOf(fields: Readonly<Record<string, unknown>>): Headers {
  const entries = Object.entries(fieldsOf(fields.headers)).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : [],
  );
  return new Headers(entries);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return {};
  const { message, cause } = value instanceof Error ? value : { message: undefined, cause: undefined };
  return {
    ...value,
    ...(message === undefined ? {} : { message }),
    ...(cause === undefined ? {} : { cause }),
  };
}
