import { type ConnectorContext, ProviderError } from "@keyloan/contract";
import type Stripe from "stripe";
import { boundedFetch, parseJson, statusError } from "../kit/http.ts";
import type { RateLimiter } from "../kit/rate-limiter.ts";
import { readFailure } from "./errors.ts";

// Longer than any wait for the limiter; every call itself ends much sooner.
const sdkTimeoutMs = 600_000;

/**
 * The official SDK, with the context's fetch, signal and address, and no retries of its own.
 * @param limiter every call waits for it
 */
export async function openStripe(
  context: ConnectorContext,
  secretKey: string,
  limiter: RateLimiter = async () => {},
): Promise<Stripe> {
  const { default: StripeSdk } = await import("stripe");
  return new StripeSdk(secretKey, {
    httpClient: StripeSdk.createFetchHttpClient(guardedFetch(context, limiter)),
    ...addressOf(context.baseUrl),
    maxNetworkRetries: 0,
    timeout: sdkTimeoutMs,
    telemetry: false,
  });
}

type StripeAnswer = { readonly object: string; readonly lastResponse?: { readonly statusCode?: number } };

/**
 * One call through the SDK whose answer must be a 200 and an object of the given kind: the SDK also
 * resolves on other statuses when the body has no `error`.
 * @throws ProviderError for every failure, without Stripe's words
 */
export async function call<T extends StripeAnswer>(object: T["object"], ask: () => Promise<T>): Promise<T> {
  const answer = await ask().catch((error: unknown) => {
    throw readFailure(error).error;
  });
  return checkAnswer(object, answer);
}

/** The check of {@link call} for an answer at hand. */
export function checkAnswer<T extends StripeAnswer>(object: T["object"], answer: T): T {
  const status = answer.lastResponse?.statusCode;
  if (answer.object === object && status === 200) return answer;
  throw new ProviderError("stripe", "invalid_response", "the answer has an unexpected shape", {
    ...(status === undefined ? {} : { status }),
  });
}

/**
 * Lets only answers reach the SDK that it can handle: a JSON object, with an `error` object when the
 * status says so. Anything else would resolve, or break it outside of any promise.
 */
function guardedFetch(context: ConnectorContext, limiter: RateLimiter): typeof globalThis.fetch {
  const fetch = boundedFetch("stripe", context);
  return async (url, init) => {
    await limiter(context.signal);
    const response = await fetch(url, init);
    const text = await response.text();
    const body = parseJson(text);
    const headers = new Headers(response.headers);
    // The SDK prints this one's text as a process warning.
    headers.delete("stripe-notice");
    const requestId = headers.get("request-id");
    const facts = { status: response.status, headers, ...(requestId === null ? {} : { requestId }) };
    if (!response.ok && !isObject(isObject(body) ? body.error : undefined))
      throw statusError("stripe", facts);
    if (!isObject(body) || (response.ok && "error" in body)) {
      throw new ProviderError("stripe", "invalid_response", "the answer has an unexpected shape", {
        status: response.status,
      });
    }
    return new Response(text, { status: response.status, headers });
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function addressOf(baseUrl: string | undefined): Stripe.StripeConfig {
  if (baseUrl === undefined) return {};
  const { hostname, port, protocol } = new URL(baseUrl);
  const kind = protocol === "http:" ? "http" : "https";
  return { host: hostname, protocol: kind, port: port === "" ? (kind === "http" ? 80 : 443) : Number(port) };
}
