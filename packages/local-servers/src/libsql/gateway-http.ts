import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { judgeRequest, type Refusal, unreadable } from "./gateway-judge.ts";
import { answerHeaders, encodingOfTarget, forwardedHeaders, type GatewayRoute } from "./gateway-rules.ts";

/** The largest request that is taken; it is held in memory until it is whole. */
export const requestBytesMax = 64 * 1024 * 1024;
const attemptsMax = 4;

type Exchange = {
  readonly route: GatewayRoute;
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  /** The request that is under way at the server. */
  upstream?: ClientRequest;
};

/** Sends one request on to the namespace once it is judged, and its answer back as it comes. */
export function forwardRequest(route: GatewayRoute, incoming: IncomingMessage, answer: ServerResponse): void {
  const encoding = encodingOfTarget(incoming.url);
  if (encoding === undefined) {
    refuse(answer, 404, { error: "no such path" });
    return;
  }
  if ((incoming.headers["content-encoding"] ?? "identity") !== "identity") {
    refuseRequest(answer, unreadable);
    return;
  }
  const exchange: Exchange = { route, incoming, answer };
  answer.once("close", () => exchange.upstream?.destroy());
  collect(incoming, (body) => {
    const refusal = body === undefined ? tooLarge : judgeRequest(encoding, body);
    if (refusal !== undefined) refuseRequest(answer, refusal);
    else if (body !== undefined) sendWhole(exchange, body, 1);
  });
}

const tooLarge: Refusal = { status: 413, message: `a request has at most ${requestBytesMax} bytes` };

/** Gives the whole body, or undefined once it is too large. */
function collect(incoming: IncomingMessage, onBody: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= requestBytesMax) return;
    incoming.off("data", take).off("end", finish).resume();
    onBody(undefined);
  };
  const finish = () => onBody(Buffer.concat(chunks));
  incoming.on("data", take).once("end", finish);
}

/**
 * A request is sent again when the server says that the namespace is not there: it says so, having
 * done nothing, of namespaces that it is just closing to make room for others.
 */
function sendWhole(exchange: Exchange, body: Buffer, attempt: number): void {
  const { answer } = exchange;
  const port = exchange.route.upstreamPort();
  if (port === undefined) {
    refuseRequest(answer, startingAgain);
    return;
  }
  const call = ask(exchange, port, (response) => {
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

const startingAgain: Refusal = {
  status: 503,
  message: "the database server is being started again: try again in a moment",
};

function ask(
  exchange: Exchange,
  port: number,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const { route, incoming, answer } = exchange;
  const upstream = request({
    agent: route.agent,
    host: "127.0.0.1",
    port,
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    headers: forwardedHeaders(incoming.headers, route.namespace),
  });
  exchange.upstream = upstream;
  upstream.once("response", onResponse);
  upstream.once("error", () => {
    if (answer.headersSent) answer.destroy();
    else if (!answer.destroyed) refuse(answer, 502, { error: "the database server does not answer" });
  });
  return upstream;
}

function pass(response: IncomingMessage, answer: ServerResponse): void {
  answer.writeHead(response.statusCode ?? 502, answerHeaders(response.headers));
  // A cut answer must arrive as cut, never as a complete short one: pipeline destroys the other side.
  pipeline(response, answer, () => {});
}

/** Clients of Hrana show `message` to their user; `error` is where the server has its own words. */
function refuseRequest(answer: ServerResponse, { status, message }: Refusal): void {
  refuse(answer, status, { error: message, message });
}

function refuse(answer: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  const text = JSON.stringify(body);
  // What is left of the request body is not read: the connection ends with this answer.
  answer.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  });
  answer.end(text);
}
