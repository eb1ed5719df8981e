import { type ConnectorContext, ProviderError, type ProviderErrorCode, userAgent } from "@keyloan/contract";
import type * as z from "zod";

export const requestTimeoutMsDefault = 10_000;
/** The most that an answer may hold, in bytes. */
export const responseBytesMax = 4 * 1024 * 1024;

export type ProviderRequest = {
  readonly provider: string;
  readonly context: Pick<ConnectorContext, "fetch" | "signal">;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
};

/** The answer with its body read, of whatever status. The body never goes into an error. */
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
  const { provider, context, timeoutMs = requestTimeoutMsDefault } = request;
  const limit = limitTime([context.signal], timeoutMs);
  try {
    const response = await context.fetch(request.url, {
      method: request.method,
      headers: named({ accept: "application/json", ...request.headers }),
      redirect: "manual",
      signal: limit.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const text = await readLimited(provider, response);
    return {
      status: response.status,
      headers: response.headers,
      requestId: requestIdOf(response.headers),
      text,
    };
  } catch (error) {
    throw transportError(provider, error);
  } finally {
    limit.clear();
  }
}

/**
 * A fetch for a provider's SDK: it ends with the context's signal or after the time limit, follows no
 * redirect and reads the body whole, up to the size limit, before the SDK sees it.
 * The returned function throws ProviderError for every failure of transport.
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

export type BytesAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
};

/** The same as a call: the answer with its body as it came. */
export async function fetchBytes(
  { provider, context, timeoutMs = requestTimeoutMsDefault }: BytesRequest,
  input: Parameters<typeof globalThis.fetch>[0],
  init: RequestInit,
): Promise<BytesAnswer> {
  const { signal, clear } = limitTime([context.signal, ...(init.signal ? [init.signal] : [])], timeoutMs);
  try {
    const headers = named(init.headers ?? (input instanceof Request ? input.headers : {}));
    const response = await context.fetch(input, { ...init, headers, redirect: "manual", signal });
    const bytes = await readLimitedBytes(provider, response);
    return { status: response.status, headers: response.headers, bytes };
  } catch (error) {
    if (signal.aborted && !(error instanceof ProviderError))
      throw new ProviderError(provider, "timeout", "did not answer in time");
    throw transportError(provider, error);
  } finally {
    clear();
  }
}

/** Says who asks, also where a provider's SDK would name itself: Resend and others refuse callers without a name. */
function named(given: ConstructorParameters<typeof Headers>[0]): Headers {
  const headers = new Headers(given);
  headers.set("user-agent", userAgent);
  return headers;
}

type BytesRequest = {
  readonly provider: string;
  readonly context: Pick<ConnectorContext, "fetch" | "signal">;
  readonly timeoutMs?: number | undefined;
};

// Unlike AbortSignal.timeout, a cleared timer does not fire, and build an error, long after the answer came.
function limitTime(signals: AbortSignal[], timeoutMs: number): { signal: AbortSignal; clear: () => void } {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("the time is over", "TimeoutError")), timeoutMs);
  return { signal: AbortSignal.any([...signals, late.signal]), clear: () => clearTimeout(timer) };
}

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

/** The value of a JSON text, or `undefined` when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error an HTTP status means, or the answer's body where that tells more. `retry-after` is read as seconds or as a date. */
export function statusError(
  provider: string,
  response: { readonly status: number; readonly headers?: Headers; readonly requestId?: string | undefined },
  code = codeOfStatus(response.status),
): ProviderError {
  const retryAfterSeconds = parseRetryAfter(response.headers?.get("retry-after") ?? null);
  return new ProviderError(provider, code, `answered ${response.status}`, {
    status: response.status,
    ...(response.requestId === undefined ? {} : { requestId: response.requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** What an HTTP status of a provider means to us. */
export function codeOfStatus(status: number): ProviderErrorCode {
  if (status === 401) return "unauthorized";
  if (status === 402) return "quota_exceeded";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 408) return "timeout";
  if (status === 409) return "conflict";
  if (status === 429) return "rate_limited";
  if (status >= 500) return "unavailable";
  if (status >= 400) return "rejected";
  return "invalid_response";
}

/** A call that the context's own fetch refused to make, because of where it would have gone. */
export class BlockedAddress extends ProviderError {
  constructor(provider: string, { message, remedy }: { readonly message: string; readonly remedy: string }) {
    super(provider, "network", message, { remedy });
  }
}

/** Turns a thrown fetch or SDK transport error into `timeout` or `network`; a ProviderError passes through. */
export function transportError(provider: string, error: unknown): ProviderError {
  const refusal = addressRefusal(error);
  if (refusal !== undefined) return new BlockedAddress(provider, refusal);
  if (error instanceof ProviderError) return error;
  const names = errorNames(error);
  if (names.some((name) => name === "TimeoutError" || name === "AbortError" || name.includes("TIMEOUT"))) {
    return new ProviderError(provider, "timeout", "did not answer in time");
  }
  return new ProviderError(provider, "network", "could not be reached");
}

/** Seconds from a `Retry-After` header, capped at an hour. */
export function parseRetryAfter(value: string | null, nowMs: number = Date.now()): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds : (Date.parse(value) - nowMs) / 1000;
  return Number.isFinite(wait) ? Math.min(Math.max(Math.ceil(wait), 0), 3600) : undefined;
}

const requestIdHeaders = ["x-request-id", "request-id", "x-amz-request-id", "clerk-trace-id", "cf-ray"];

function requestIdOf(headers: Headers): string | undefined {
  for (const name of requestIdHeaders) {
    const value = headers.get(name);
    if (value !== null && /^[\w.:-]{1,128}$/.test(value)) return value;
  }
  return undefined;
}

async function readLimited(provider: string, response: Response): Promise<string> {
  if (saysItIsSmall(response)) return response.text();
  return new TextDecoder().decode(await readLimitedBytes(provider, response));
}

async function readLimitedBytes(provider: string, response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (saysItIsSmall(response)) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > responseBytesMax) {
      throw new ProviderError(provider, "invalid_response", "the answer is too large", {
        status: response.status,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An answer that says it is small is read in one piece; HTTP ends it at that length. */
function saysItIsSmall({ headers }: Response): boolean {
  const length = Number(headers.get("content-length") ?? Number.NaN);
  return length <= responseBytesMax && !headers.has("content-encoding");
}

/**
 * What a guarded fetch says of an address it refuses: an error named BlockedAddressError, or a ProviderError
 * of the provider `address`. Its words are the guard's own, so they may be shown.
 */
function addressRefusal(error: unknown): { readonly message: string; readonly remedy: string } | undefined {
  if (error instanceof BlockedAddress) return error;
  const found = errorChain(error).find(
    (each) =>
      each.name === "BlockedAddressError" || (each instanceof ProviderError && each.provider === "address"),
  );
  if (found === undefined) return undefined;
  if (found instanceof ProviderError) return found;
  return {
    message: "The address is not one that may be asked.",
    remedy: "Give the address as the provider shows it.",
  };
}

function errorNames(error: unknown): string[] {
  return errorChain(error).flatMap((each) =>
    "code" in each && typeof each.code === "string" ? [each.name, each.code] : [each.name],
  );
}

/** The error and what caused it, outermost first. */
function errorChain(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let current = error; current instanceof Error && chain.length < 5; current = current.cause) {
    chain.push(current);
  }
  return chain;
}
