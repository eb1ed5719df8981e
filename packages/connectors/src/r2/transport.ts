import { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { ConnectorContext } from "@keyloan/contract";
import { boundedFetch, requestTimeoutMsDefault, transportError } from "../kit/http.ts";
import { invalidResponse, provider, R2Error } from "./errors.ts";

type RequestHandler = Extract<NonNullable<S3ClientConfig["requestHandler"]>, { handle: unknown }>;
type SignedRequest = Parameters<RequestHandler["handle"]>[0];

const answerBytesMax = 64 * 1024;
// fetch sets these itself; given twice they make the request invalid.
const ownHeaders = ["host", "content-length", "connection", "expect"];

/**
 * Carries the SDK's signed requests over the context's own fetch, so that its address guard, time limit,
 * size limit and signal hold. Answers that are not 2xx become an R2Error here: the SDK's own errors keep
 * the provider's body.
 */
export function fetchTransport(context: Pick<ConnectorContext, "fetch" | "signal">): RequestHandler {
  const fetch = boundedFetch(provider, context);
  return asHandler(async (request) => {
    const url = `${originOf(request)}${request.path}${queryOf(request)}`;
    // An address is normalised by every fetch: the request would go to another key than was signed.
    if (new URL(url).pathname !== request.path) throw invalidResponse("the key cannot be sent over fetch");
    const headers = new Headers(request.headers);
    for (const name of ownHeaders) headers.delete(name);
    const body = request.method === "GET" || request.method === "HEAD" ? undefined : request.body;
    const response = await fetch(url, {
      method: request.method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
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
          text,
        });
      });
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

function asHandler(send: (request: SignedRequest) => Promise<Answer>): RequestHandler {
  return {
    handle: async (request: SignedRequest) => {
      const { status, headers, text } = await send(request);
      if (status < 200 || status > 299) {
        const requestId = headers.get("x-amz-request-id") ?? headers.get("cf-ray");
        throw new R2Error({ status, retryAfter: headers.get("retry-after"), requestId, text });
      }
      const body = Readable.from(text === "" ? [] : [Buffer.from(text)]);
      return { response: { statusCode: status, headers: Object.fromEntries(headers), body } };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
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
