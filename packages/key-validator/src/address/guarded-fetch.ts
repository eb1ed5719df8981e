import { BlockedAddressError } from "./blocked-address-error.ts";
import { type GuardedAddress, type GuardOptions, guardAddress } from "./guard-address.ts";
import {
  AnswerError,
  type Connect,
  connectDefault,
  type PinnedAnswer,
  sendPinned,
} from "./pinned-request.ts";
import { followRedirect, type OutgoingRequest } from "./redirect.ts";

export const guardedFetchLimits = {
  timeoutMsDefault: 15_000,
  responseBytesMaxDefault: 4 * 1024 * 1024,
  redirectsMax: 3,
} as const;

export type GuardedFetchOptions = GuardOptions & {
  /** The limit for everything in one call: resolving names, connections, redirects and the body. */
  readonly timeoutMs?: number;
  readonly responseBytesMax?: number;
  /** Opens the TCP connections. Default: `net.connect`. */
  readonly connect?: Connect;
};

/**
 * A `fetch` for addresses that a stranger typed. It refuses what `guardAddress` refuses, connects only to the addresses
 * that were checked, follows at most three redirects and checks each, and limits the time and the size of the answer.
 * Each request is HTTP/1.1 on its own connection; answers are never compressed, and are read completely before the
 * promise resolves.
 *
 * The returned function rejects with BlockedAddressError if the guard refuses, with the signal's reason or a
 * `TimeoutError` if it is aborted or takes too long, and with a TypeError, as fetch does, for all else. No error
 * contains an IP address or a part of an answer.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): typeof globalThis.fetch {
  return async (input, init) => {
    const signals = [input instanceof Request ? input.signal : undefined, init?.signal ?? undefined];
    const limit = limitTime(signals, options.timeoutMs ?? guardedFetchLimits.timeoutMsDefault);
    try {
      const target = await check(input instanceof Request ? input.url : input, options, limit.signal);
      const request = new Request(input instanceof Request ? input : target.url, init);
      return await exchange(target, request, options, limit.signal);
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : readError(error);
    } finally {
      limit.clear();
    }
  };
}

async function exchange(
  first: GuardedAddress,
  request: Request,
  options: GuardedFetchOptions,
  signal: AbortSignal,
): Promise<Response> {
  let target = first;
  let outgoing = await readRequest(request);
  for (let redirects = 0; ; redirects++) {
    const answer = await sendPinned({
      ...outgoing,
      target,
      signal,
      responseBytesMax: options.responseBytesMax ?? guardedFetchLimits.responseBytesMaxDefault,
      connect: options.connect ?? connectDefault,
    });
    const next = request.redirect === "manual" ? undefined : followRedirect(target.url, outgoing, answer);
    if (next === undefined) return toResponse(answer, target.url, redirects > 0);
    if (request.redirect === "error") throw new AnswerError("the server redirects to another address");
    if (redirects === guardedFetchLimits.redirectsMax)
      throw new AnswerError("the server redirects too often");
    target = await check(next.url, options, signal);
    outgoing = next.request;
  }
}

async function check(
  address: string | URL,
  options: GuardOptions,
  signal: AbortSignal,
): Promise<GuardedAddress> {
  const guarded = await untilAborted(signal, guardAddress(address, options));
  if (!guarded.ok) throw new BlockedAddressError(guarded);
  return guarded;
}

// The connection sets these itself. A `Host` from the caller could name another server than the one checked.
const ownHeaders = [
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
  "te",
  "trailer",
  "keep-alive",
];

async function readRequest(request: Request): Promise<OutgoingRequest> {
  const headers = new Headers(request.headers);
  for (const name of ownHeaders) headers.delete(name);
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  return { method: request.method, headers, body };
}

function toResponse(answer: PinnedAnswer, url: URL, redirected: boolean): Response {
  const { status, statusText, headers, body } = answer;
  if (status < 200 || status > 599) throw new AnswerError("the answer has no known status");
  const response = new Response([204, 205, 304].includes(status) ? null : body, {
    status,
    statusText,
    headers,
  });
  return Object.defineProperties(response, { url: { value: url.href }, redirected: { value: redirected } });
}

/** Keeps only our own text and the system's code: system errors contain addresses, parser errors what was received. */
function readError(error: unknown): unknown {
  if (error instanceof BlockedAddressError) return error;
  if (error instanceof AnswerError) return new TypeError("fetch failed", { cause: error });
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
  return new TypeError("fetch failed", {
    cause: Object.assign(new Error("the connection failed"), { code }),
  });
}

function limitTime(signals: readonly (AbortSignal | undefined)[], timeoutMs: number) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("the time is over", "TimeoutError")), timeoutMs);
  const given = signals.filter((signal) => signal !== undefined);
  return { signal: AbortSignal.any([...given, late.signal]), clear: () => clearTimeout(timer) };
}

async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
