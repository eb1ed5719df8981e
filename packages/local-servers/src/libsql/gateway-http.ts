import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { answerHeaders, forwardedHeaders, type GatewayRoute, isAllowedTarget } from "./gateway-rules.ts";

const repeatableBytesMax = 64 * 1024;
const attemptsMax = 4;

type Exchange = {
  readonly route: GatewayRoute;
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  /** The request that is under way at the server. */
  upstream?: ClientRequest;
};

/** Sends one request on to the namespace, and its answer back as it comes. */
export function forwardRequest(route: GatewayRoute, incoming: IncomingMessage, answer: ServerResponse): void {
  if (!isAllowedTarget(incoming.url)) {
    refuse(answer, 404, "no such path");
    return;
  }
  const exchange: Exchange = { route, incoming, answer };
  answer.once("close", () => exchange.upstream?.destroy());
  const { "content-length": length, "transfer-encoding": chunked } = incoming.headers;
  if (chunked !== undefined || Number(length ?? 0) > repeatableBytesMax) {
    incoming.pipe(ask(exchange, (response) => pass(response, answer)));
    return;
  }
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.once("end", () => sendWhole(exchange, Buffer.concat(chunks), 1));
}

/**
 * A small request is sent again when the server says that the namespace is not there: it says so, having
 * done nothing, of namespaces that it is just closing to make room for others.
 */
function sendWhole(exchange: Exchange, body: Buffer, attempt: number): void {
  const { answer } = exchange;
  const call = ask(exchange, (response) => {
    if (response.statusCode !== 404 || attempt === attemptsMax) {
      pass(response, answer);
      return;
    }
    response.resume();
    response.once("end", () => {
      setTimeout(() => {
        if (!answer.destroyed) sendWhole(exchange, body, attempt + 1);
      }, attempt * 4);
    });
  });
  call.end(body);
}

function ask(exchange: Exchange, onResponse: (response: IncomingMessage) => void): ClientRequest {
  const { route, incoming, answer } = exchange;
  const upstream = request({
    agent: route.agent,
    host: "127.0.0.1",
    port: route.upstreamPort,
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    headers: forwardedHeaders(incoming.headers, route.namespace),
  });
  exchange.upstream = upstream;
  upstream.once("response", onResponse);
  upstream.once("error", () => {
    if (answer.headersSent) answer.destroy();
    else if (!answer.destroyed) refuse(answer, 502, "the database server does not answer");
  });
  return upstream;
}

function pass(response: IncomingMessage, answer: ServerResponse): void {
  answer.writeHead(response.statusCode ?? 502, answerHeaders(response.headers));
  // A cut answer must arrive as cut, never as a complete short one: pipeline destroys the other side.
  pipeline(response, answer, () => {});
}

function refuse(answer: ServerResponse, status: number, message: string): void {
  const text = JSON.stringify({ error: message });
  // What is left of the request body is not read: the connection ends with this answer.
  answer.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  });
  answer.end(text);
}
