import { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { userAgent, withinTime } from "@keyloan/contract";
import { invalidResponse, S3Error } from "./errors.ts";
import type { Answer, Send } from "./send.ts";

type RequestHandler = Extract<NonNullable<S3ClientConfig["requestHandler"]>, { handle: unknown }>;
type SignedRequest = Parameters<RequestHandler["handle"]>[0];

export type TransportOptions = {
  /** What errors call the store. */
  readonly name: string;
  readonly send: Send;
  /**
   * Ends calls over a plain socket, by which alone keys with `.` and `..` between slashes can be removed; without it
   * they are refused. For an endpoint of the operator's only, never for one that a user typed.
   */
  readonly socketSignal?: AbortSignal;
};

const socketTimeoutMs = 10_000;
const socketAnswerBytesMax = 64 * 1024;
// fetch sets these itself; given twice they make the request invalid.
const ownHeaders = ["host", "content-length", "connection", "expect"];

/**
 * Carries the SDK's signed requests by whatever sends for us, so that its address guard and its limits hold. Answers
 * that are not 2xx become an S3Error here: the SDK's own errors keep the store's body.
 */
export function createTransport(options: TransportOptions): RequestHandler {
  const { name } = options;
  return {
    handle: async (request: SignedRequest) => {
      const answer = await carry(options, request);
      const { status, headers, bytes } = answer;
      if (status < 200 || status > 299) throw new S3Error(name, answer);
      const body = Readable.from(bytes.length === 0 ? [] : [bytes]);
      return { response: { statusCode: status, headers: fromHeaders(name, headers), body } };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
}

function carry({ name, send, socketSignal }: TransportOptions, request: SignedRequest): Promise<Answer> {
  const url = `${originOf(request)}${request.path}${queryOf(request)}`;
  // An address is normalised by every fetch: the request would go to another key than was signed.
  if (new URL(url).pathname === request.path) return send(url, toInit(request));
  if (socketSignal === undefined || request.method !== "DELETE")
    throw invalidResponse(name, "the key cannot be sent over fetch");
  const limits = { provider: name, signals: [socketSignal], timeoutMs: socketTimeoutMs };
  return withinTime(limits, (signal) => sendOverSocket(name, request, signal));
}

function toInit(request: SignedRequest): RequestInit {
  const headers = toHeaders(request.headers);
  for (const name of ownHeaders) headers.delete(name);
  // To whoever takes packed answers some stores pack on the way, and then leave out the length.
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
  const { method } = request;
  const body = method === "GET" || method === "HEAD" ? undefined : request.body;
  // To a request with a condition fetch adds a Cache-Control, which a store keeps with the object; with this it adds none.
  return { method, headers, cache: "force-cache", ...(body === undefined ? {} : { body }) };
}

/** A request without a body, exactly as signed. */
async function sendOverSocket(name: string, request: SignedRequest, signal: AbortSignal): Promise<Answer> {
  const { request: open }: typeof import("node:http") = await import(
    request.protocol === "https:" ? "node:https" : "node:http"
  );
  return new Promise((resolve, reject) => {
    const { hostname, port, method } = request;
    const headers = { ...request.headers, "user-agent": userAgent };
    const path = `${request.path}${queryOf(request)}`;
    const options = { hostname, method, path, headers, signal, ...(port === undefined ? {} : { port }) };
    const outgoing = open(options, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (part: string) => {
        text += part;
        if (text.length > socketAnswerBytesMax)
          incoming.destroy(invalidResponse(name, "the answer is too large"));
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

/** Signatures are made over UTF-8; fetch takes one character for each byte. */
function toHeaders(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    headers.set(name, Buffer.from(value).toString("latin1"));
  }
  return headers;
}

/** @throws ProviderError `invalid_response` for a header that is no UTF-8: it could not be sent on as it is */
function fromHeaders(store: string, headers: Headers): Record<string, string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const entries = [...headers].map(([name, value]) => {
    try {
      return [name, decoder.decode(Buffer.from(value, "latin1"))];
    } catch {
      throw invalidResponse(store, "a header cannot be read");
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
