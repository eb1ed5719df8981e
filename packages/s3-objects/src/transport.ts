import { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { userAgent, withinTime } from "@keyloan/contract";
import { invalidResponse, S3Error } from "./errors.ts";
import type { Answer, Send } from "./send.ts";

type RequestHandler = Extract<NonNullable<S3ClientConfig["requestHandler"]>, { handle: unknown }>;
type SignedRequest = Parameters<RequestHandler["handle"]>[0];

export type TransportOptions = {
  /** The store's name in errors. */
  readonly name: string;
  readonly send: Send;
  /**
   * Ends calls over a plain socket, the only way to remove keys with `.` or `..` between slashes; without this signal
   * such keys are refused. Only for an endpoint of the operator, never for one that a user typed.
   */
  readonly socketSignal?: AbortSignal;
};

const socketTimeoutMs = 10_000;
const socketAnswerBytesMax = 64 * 1024;
// fetch sets these itself; setting them twice makes the request invalid.
const ownHeaders = ["host", "content-length", "connection", "expect"];

/**
 * Sends the SDK's signed requests with `send`, so that its address guard and limits apply. Answers that are not 2xx
 * become an S3Error here, because the SDK's own errors would contain the store's body.
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
  // Every fetch normalises an address: the request would go to another key than the signed one.
  if (new URL(url).pathname === request.path) return send(url, toInit(request));
  if (socketSignal === undefined || request.method !== "DELETE")
    throw invalidResponse(name, "the key cannot be sent over fetch");
  const limits = { provider: name, signals: [socketSignal], timeoutMs: socketTimeoutMs };
  return withinTime(limits, (signal) => sendOverSocket(name, request, signal));
}

function toInit(request: SignedRequest): RequestInit {
  const headers = toHeaders(request.headers);
  for (const name of ownHeaders) headers.delete(name);
  // For a client that accepts compression, some stores compress in transit and then leave out the length.
  if (!headers.has("accept-encoding")) headers.set("accept-encoding", "identity");
  const { method } = request;
  const body = method === "GET" || method === "HEAD" ? undefined : request.body;
  // fetch adds a Cache-Control to a conditional request, and a store keeps it with the object; with this it adds none.
  return { method, headers, cache: "force-cache", ...(body === undefined ? {} : { body }) };
}

/** Sends a request without a body, exactly as signed. */
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

/** Signatures are calculated over UTF-8, but fetch expects one character for each byte. */
function toHeaders(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    headers.set(name, Buffer.from(value).toString("latin1"));
  }
  return headers;
}

/** @throws ProviderError `invalid_response` for a header that is not UTF-8: it could not be forwarded unchanged */
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

/** Percent-encodes everything that Signature Version 4 requires. */
export const encodeStrictly = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
