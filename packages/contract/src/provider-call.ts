import { ProviderError } from "./errors.ts";
import { userAgent } from "./version.ts";

/** As much as one answer of a provider may hold, in bytes: a document, a page of a listing, a piece of an object. */
export const answerBytesMax = 4 * 1024 * 1024;

/** An answer of whatever status, read whole. Its body never goes into an error. */
export type BytesAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
};

export type CallLimits = {
  /** What errors call whoever is asked. */
  readonly provider: string;
  /** Each of them ends the call. */
  readonly signals: readonly AbortSignal[];
  readonly timeoutMs: number;
  /** What a failure means that is no answer; by default that nobody could be reached. */
  readonly explain?: (error: unknown) => ProviderError;
};

/**
 * One HTTP call that says who asks (Resend and others refuse callers without a name), with a limit of time and of size.
 * Redirects are not followed.
 * @throws ProviderError for whatever keeps the answer from coming, never for its status
 */
export function callProvider(
  limits: CallLimits & { readonly fetch: typeof globalThis.fetch },
  input: Parameters<typeof globalThis.fetch>[0],
  init: RequestInit,
): Promise<BytesAnswer> {
  return withinTime(limits, async (signal) => {
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : {}));
    headers.set("user-agent", userAgent);
    const response = await limits.fetch(input, { ...init, headers, redirect: "manual", signal });
    const bytes = await readBytes(limits.provider, response);
    return { status: response.status, headers: response.headers, bytes };
  });
}

/** @throws ProviderError `timeout` when the time is over or a signal ended it, what `call` throws, or what `explain` says */
export async function withinTime<T>(
  { provider, signals, timeoutMs, explain = explainFailure(provider) }: CallLimits,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Unlike AbortSignal.timeout, a cleared timer does not fire, and build an error, long after the answer came.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("the time is over", "TimeoutError")), timeoutMs);
  const signal = AbortSignal.any([...signals, late.signal]);
  try {
    return await call(signal);
  } catch (error) {
    if (signal.aborted && !(error instanceof ProviderError))
      throw new ProviderError(provider, "timeout", "did not answer in time");
    throw explain(error);
  } finally {
    clearTimeout(timer);
  }
}

function explainFailure(provider: string) {
  return (error: unknown) =>
    error instanceof ProviderError ? error : new ProviderError(provider, "network", "could not be reached");
}

async function readBytes(provider: string, response: Response): Promise<Uint8Array<ArrayBuffer>> {
  if (saysItIsSmall(response)) return new Uint8Array(await response.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > answerBytesMax) {
      throw new ProviderError(provider, "invalid_response", "the answer is too large", {
        status: response.status,
      });
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** An answer that says it is small is read in one piece; HTTP ends it at that length. */
function saysItIsSmall({ headers }: Response): boolean {
  const length = Number(headers.get("content-length") ?? Number.NaN);
  return length <= answerBytesMax && !headers.has("content-encoding");
}
