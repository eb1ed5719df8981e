import { KeyloanError } from "./errors.ts";
import type { TransportResponse } from "./transport.ts";

/** An answer of the broker that is no error. `body` is its JSON object, or `undefined` when it is none. */
export type Answer = {
  readonly status: number;
  readonly headers: TransportResponse["headers"];
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>> | undefined;
};

export type AnswerRules = {
  /** `nothing` is also satisfied by JSON: the answer is not looked at. */
  readonly expect: "json" | "text" | "nothing";
  /** Statuses other than 2xx that carry a regular answer. */
  readonly alsoFine?: readonly number[];
};

/**
 * The broker's answer, or its error thrown.
 * @throws KeyloanError with the code, remedy and request id of the broker's envelope, or
 *   `not_a_broker` when whoever answered is none
 */
export function readAnswer(
  url: URL,
  rules: AnswerRules,
  response: TransportResponse,
  token?: string,
): Answer {
  const { status, headers } = response;
  const type = headers["content-type"] ?? "";
  const parsed = /\bjson\b/.test(type) ? parseJson(response.text) : undefined;
  const body = isObject(parsed) ? parsed : undefined;
  const expected = rules.alsoFine?.includes(status) && body !== undefined && body.error === undefined;
  const fine = (status >= 200 && status < 300) || expected;
  const shown = rules.expect !== "json" || body !== undefined;
  if (fine && shown && isOfBroker(headers)) return { status, headers, text: response.text, body };
  if (fine) throw notABroker(url, status);
  throw envelopeError(url, response, token === undefined ? body : withoutToken(body, token));
}

/** A broker gives every request an id and every answer that id. A proxy may add one of its own beside it. */
function isOfBroker(headers: TransportResponse["headers"]): boolean {
  return /\breq_[0-9a-z]{20}\b/.test(headers["x-request-id"] ?? "");
}

function envelopeError(url: URL, response: TransportResponse, body: unknown): KeyloanError {
  const { status, headers } = response;
  const error = isObject(body) ? body.error : undefined;
  const retryAfterSeconds = secondsOf(headers["retry-after"]);
  if (!isObject(error) || typeof error.code !== "string" || typeof error.message !== "string") {
    if (status === 502 || status === 503 || status === 504) {
      return new KeyloanError("unavailable", `Something in front of the broker answers ${status}.`, {
        status,
        retryAfterSeconds,
        remedy: `Check that the broker behind ${url.origin} is running, then try again.`,
      });
    }
    return notABroker(url, status);
  }
  return new KeyloanError(error.code, error.message, {
    status,
    retryAfterSeconds,
    remedy: textOf(error.remedy),
    docsUrl: textOf(error.docsUrl),
    requestId: textOf(error.requestId),
    details: isObject(error.details) ? error.details : undefined,
  });
}

function notABroker(url: URL, status: number): KeyloanError {
  const redirect = status >= 300 && status < 400;
  return new KeyloanError(
    "not_a_broker",
    redirect
      ? `${url.origin} redirects to another address (status ${status}); the token is not sent there.`
      : `${url.origin} answers, but not like a Keyloan broker (status ${status}).`,
    { status, remedy: "Set KEYLOAN_URL to the broker's own address, with its path if it has one." },
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A server that repeats what it was sent must not bring the token into an error. */
function withoutToken(body: unknown, token: string): unknown {
  return parseJson((JSON.stringify(body) ?? "").replaceAll(token, "[token]"));
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
