import { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { ConnectorContext } from "@keyloan/contract";
import { fetchBytes, requestTimeoutMsDefault, transportError } from "../kit/http.ts";
import { invalidResponse, provider, R2Error } from "./errors.ts";

type RequestHandler = Extract<NonNullable<S3ClientConfig["requestHandler"]>, { handle: unknown }>;
type SignedRequest = Parameters<RequestHandler["handle"]>[0];

const answerBytesMax = 64 * 1024;
// fetch sets these itself; given twice they make the request invalid.
const ownHeaders = ["host", "content-length", "connection", "expect"];

export type FetchTransportOptions = {
  /** For each request with its answer. */
  readonly timeoutMs?: number;
  /** Sent as `accept-encoding`; `identity` by default. */
  readonly acceptEncoding?: string;
};

/**
 * Carries the SDK's signed requests over the context's own fetch, so that its address guard, time limit,
 * size limit and signal hold. Answers that are not 2xx become an R2Error here: the SDK's own errors keep
 * the provider's body.
 */
export function fetchTransport(
  context: Pick<ConnectorContext, "fetch" | "signal">,
  { timeoutMs, acceptEncoding = "identity" }: FetchTransportOptions = {},
): RequestHandler {
  return asHandler(async (request) => {
    const url = `${originOf(request)}${request.path}${queryOf(request)}`;
    // An address is normalised by every fetch: the request would go to another key than was signed.
    if (new URL(url).pathname !== request.path) throw invalidResponse("the key cannot be sent over fetch");
    const headers = toHeaders(request.headers);
    for (const name of ownHeaders) headers.delete(name);
    // To whoever takes packed answers Cloudflare packs on its way, and then leaves out the length.
    headers.set("accept-encoding", acceptEncoding);
    const body = request.method === "GET" || request.method === "HEAD" ? undefined : request.body;
    // To a request with a condition fetch adds a Cache-Control, which a store keeps with the object; with this it adds none.
    const cache = "force-cache" as const;
    const init = { method: request.method, headers, cache, ...(body === undefined ? {} : { body }) };
    return fetchBytes({ provider, context, timeoutMs }, url, init);
  });
}

/**
 * Carries requests without a body exactly as signed, over a plain socket: keys with `.` and `..` between
 * slashes cannot travel over fetch. For the operator's own endpoint only, never for one a user typed.
 */
export function socketTransport(context: Pick<ConnectorContext, "signal">): RequestHandler {
  return asHandler(async (request) => {
    const { request: open } = await import(request.protocol === "https:" ? "node:https" : "node:http");
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(requestTimeoutMsDefault)]);
    try {
      return await sendOverSocket(open, request, signal);
    } catch (error) {
      throw transportError(provider, error);
    }
  });
}

function sendOverSocket(
  open: typeof import("node:http").request,
  request: SignedRequest,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port, method, headers } = request;
    const path = `${request.path}${queryOf(request)}`;
    const options = { hostname, method, path, headers, signal, ...(port === undefined ? {} : { port }) };
    const outgoing = open(options, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (part: string) => {
        text += part;
        if (text.length > answerBytesMax) incoming.destroy(invalidResponse("the answer is too large"));
      });
      incoming.once("error", reject);
      incoming.once("end", () => {
        const known = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: new Headers(Object.fromEntries(known)),
          bytes: Buffer.from(text),
        });
      });
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

type Answer = { readonly status: number; readonly headers: Headers; readonly bytes: Uint8Array };

function asHandler(send: (request: SignedRequest) => Promise<Answer>): RequestHandler {
  return {
    handle: async (request: SignedRequest) => {
      const { status, headers, bytes } = await send(request);
      if (status < 200 || status > 299) {
        const requestId = headers.get("x-amz-request-id") ?? headers.get("cf-ray");
        const text = Buffer.from(bytes).toString();
        throw new R2Error({ status, retryAfter: headers.get("retry-after"), requestId, text });
      }
      const body = Readable.from(bytes.length === 0 ? [] : [bytes]);
      return { response: { statusCode: status, headers: fromHeaders(headers), body } };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
}

/** Signatures are made over UTF-8; fetch takes one character for each byte. */
function toHeaders(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    headers.set(name, Buffer.from(value).toString("latin1"));
  }
  return headers;
}

/** @throws ProviderError `invalid_response` for a header that is no UTF-8: it could not be sent on as it is */
function fromHeaders(headers: Headers): Record<string, string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const entries = [...headers].map(([name, value]) => {
    try {
      return [name, decoder.decode(Buffer.from(value, "latin1"))];
    } catch {
      throw invalidResponse("a header cannot be read");
    }
  });
  return Object.fromEntries(entries);
}

function originOf({ protocol, hostname, port }: SignedRequest): string {
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
}

function queryOf({ query = {} }: SignedRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? ""]).map(
      (one) => `${encodeStrictly(name)}=${encodeStrictly(one)}`,
    ),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** Percent-encodes all that Signature Version 4 wants encoded. */
export const encodeStrictly = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
