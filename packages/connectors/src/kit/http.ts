import {
  type BytesAnswer,
  type ConnectorContext,
  callProvider,
  codeOfStatus,
  ProviderError,
  type ProviderErrorCode,
  parseRetryAfter,
} from "@keyloan/contract";
import type * as z from "zod";
import { transportError } from "./transport-error.ts";

export const requestTimeoutMsDefault = 10_000;

export type ProviderRequest = {
  readonly provider: string;
  readonly context: Pick<ConnectorContext, "fetch" | "signal">;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
};

/** An answer of any status, with its body. The body never goes into an error. */
export type ProviderResponse = {
  readonly status: number;
  readonly headers: Headers;
  readonly requestId: string | undefined;
  readonly text: string;
};

/**
 * One HTTP call with a time and a size limit; redirects are not followed.
 * @throws ProviderError `timeout`, `network` or `invalid_response`, never for a status
 */
export async function send(request: ProviderRequest): Promise<ProviderResponse> {
  const { method, url, headers, body } = request;
  const answer = await fetchBytes(request, url, {
    method,
    headers: { accept: "application/json", ...headers },
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    requestId: requestIdOf(answer.headers),
    text: new TextDecoder().decode(answer.bytes),
  };
}

/**
 * A fetch for a provider's SDK: it ends with the context's signal or after the time limit, follows no
 * redirect and reads the whole body, up to the size limit, before the SDK gets it.
 * The returned function throws ProviderError for every transport failure.
 */
export function boundedFetch(
  provider: string,
  context: Pick<ConnectorContext, "fetch" | "signal">,
  timeoutMs?: number,
): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const { status, headers, bytes } = await fetchBytes({ provider, context, timeoutMs }, input, init);
    return new Response([101, 204, 205, 304].includes(status) ? null : bytes, { status, headers });
  };
}

/** One call with the limits of {@link boundedFetch}. Returns the answer with the body as bytes. */
export function fetchBytes(
  { provider, context, timeoutMs = requestTimeoutMsDefault }: BytesRequest,
  input: Parameters<typeof globalThis.fetch>[0],
  init: RequestInit,
): Promise<BytesAnswer> {
  const signals = [context.signal, ...(init.signal ? [init.signal] : [])];
  const explain = (error: unknown) => transportError(provider, error);
  return callProvider({ provider, fetch: context.fetch, signals, timeoutMs, explain }, input, init);
}

type BytesRequest = {
  readonly provider: string;
  readonly context: Pick<ConnectorContext, "fetch" | "signal">;
  readonly timeoutMs?: number | undefined;
};

/**
 * One call whose answer must be 2xx JSON of the given shape.
 * @throws ProviderError for every other answer, with status and request id
 */
export async function requestJson<T>(request: ProviderRequest, schema: z.ZodType<T>): Promise<T> {
  const response = await send(request);
  if (response.status < 200 || response.status > 299) throw statusError(request.provider, response);
  const parsed = schema.safeParse(parseJson(response.text));
  if (!parsed.success) {
    throw new ProviderError(request.provider, "invalid_response", "the answer has an unexpected shape", {
      status: response.status,
      ...(response.requestId === undefined ? {} : { requestId: response.requestId }),
    });
  }
  return parsed.data;
}

/** The value of a JSON text, or `undefined` if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error for an HTTP status, or for `code` if the body says more. `retry-after` is read as seconds or as a date. */
export function statusError(
  provider: string,
  response: { readonly status: number; readonly headers?: Headers; readonly requestId?: string | undefined },
  code = codeOfStatus(response.status),
  remedies: Partial<Readonly<Record<ProviderErrorCode, string>>> = {},
): ProviderError {
  const remedy = remedies[code];
  const retryAfterSeconds = parseRetryAfter(response.headers?.get("retry-after") ?? null);
  return new ProviderError(provider, code, `answered ${response.status}`, {
    status: response.status,
    ...(response.requestId === undefined ? {} : { requestId: response.requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

const requestIdHeaders = ["x-request-id", "request-id", "x-amz-request-id", "clerk-trace-id", "cf-ray"];

function requestIdOf(headers: Headers): string | undefined {
  for (const name of requestIdHeaders) {
    const value = headers.get(name);
    if (value !== null && /^[\w.:-]{1,128}$/.test(value)) return value;
  }
  return undefined;
}
