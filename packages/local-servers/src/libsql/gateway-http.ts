import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { type Refusal, type RequestEncoding, unreadable } from "./gateway-judge.ts";
import {
  answerHeaders,
  continuesStream,
  encodingOfTarget,
  forwardedHeaders,
  type GatewayRoute,
  tokenOf,
} from "./gateway-rules.ts";
import { judgeInTurn, tooManyWait } from "./judge-in-turn.ts";

const attemptsMax = 4;
/** What a piece of a body costs beside its bytes: a body may come byte by byte. */
const pieceBytes = 256;

type Exchange = {
  readonly route: GatewayRoute;
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  /** The request that is under way at the server. */
  upstream?: ClientRequest;
  leaveJudging?: () => void;
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
  answer.once("close", () => {
    exchange.leaveJudging?.();
    exchange.upstream?.destroy();
  });
  collect(exchange, bodyLimit(encoding, exchange), (body) => {
    const onVerdict = (refusal?: Refusal) => {
      if (answer.destroyed) return;
      if (refusal !== undefined) refuseRequest(answer, refusal);
      else sendInTurn(exchange, encoding, body);
    };
    judgeInTurn(route, encoding, body, { onWait: (leave) => (exchange.leaveJudging = leave), onVerdict });
  });
}

type BodyLimit = { readonly bytesMax: number; readonly refusal: Refusal };

/**
 * Nothing is held of what could not pass in any case. Only a POST has a body: Node sends that of other methods without
 * saying its length, so that the server would read it as the next request.
 */
function bodyLimit(encoding: RequestEncoding, { route, incoming }: Exchange): BodyLimit {
  if (encoding === "none" || incoming.method !== "POST") return { bytesMax: 0, refusal: unreadable };
  const token = tokenOf(incoming.headers);
  if (token === undefined) return { bytesMax: 0, refusal: tokenMissing };
  if (!route.isSigned(token)) return { bytesMax: 0, refusal: tokenWrong };
  const { requestBytesMax: bytesMax } = route.share.limits;
  return { bytesMax, refusal: { status: 413, message: `a request has at most ${bytesMax} bytes` } };
}

const tokenMissing: Refusal = { status: 401, message: "this database wants a token" };
const tokenWrong: Refusal = { status: 401, message: "this token is none of this database, or has ended" };
const tooMuchHeld: Refusal = {
  status: 503,
  message: "the database server holds too many large requests: try again in a moment",
};
/** Gives the whole body, or refuses the request once it is too large. */
function collect(
  { route, incoming, answer }: Exchange,
  { bytesMax, refusal }: BodyLimit,
  onBody: (body: Buffer) => void,
): void {
  const { budget } = route.share;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let held = 0;
  const take = (chunk: Buffer) => {
    const cost = chunk.length + pieceBytes;
    bytes += chunk.length;
    const isHeld = bytes <= bytesMax && budget.take(cost);
    if (isHeld) {
      held += cost;
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    incoming.off("data", take).off("end", finish).resume();
    refuseRequest(answer, bytes > bytesMax ? refusal : tooMuchHeld);
  };
  const finish = () => onBody(Buffer.concat(chunks.splice(0)));
  answer.once("close", () => budget.give(held));
  incoming.on("data", take).once("end", finish);
}

/** Only so many of one database are at the server at once: its threads serve the others too. */
function sendInTurn(exchange: Exchange, encoding: RequestEncoding, body: Buffer): void {
  const { route, answer } = exchange;
  const { fresh, continued } = route.share.queues;
  const queue = continuesStream(encoding, body) ? continued : fresh;
  const end = queue.enter(() => sendWhole(exchange, body, 1));
  if (end === undefined) refuseRequest(answer, tooManyWait);
  else answer.once("close", end);
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
  const call = ask(exchange, port, body.length, (response) => {
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
  bodyBytes: number,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  const { route, incoming, answer } = exchange;
  const upstream = request({
    agent: route.agent,
    host: "127.0.0.1",
    port,
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    headers: {
      ...forwardedHeaders(incoming.headers, route.namespace),
      ...(incoming.method === "POST" ? { "content-length": bodyBytes } : {}),
    },
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

/**
 * Clients of Hrana show `message` to their user, and then do not tell the status; `error` is where the server has its own
 * words. Of a token that opens nothing they tell the status, as when the server refuses it.
 */
function refuseRequest(answer: ServerResponse, { status, message }: Refusal): void {
  refuse(answer, status, status === 401 ? { error: message } : { error: message, message });
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
