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
/** The memory that each chunk of a body costs besides its bytes: a body may arrive byte by byte. */
const pieceBytes = 256;

type Exchange = {
  readonly route: GatewayRoute;
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  /** The request that is under way at the server. */
  upstream?: ClientRequest;
  leaveJudging?: () => void;
};

/** Judges one request, forwards it to the namespace, and sends the answer back as it arrives. */
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
/** Calls `onBody` with the whole body, or refuses the request once it is too large or the budget is used up. */
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

/** Limits how many requests of one database the server handles at once: its threads serve all databases. */
function sendInTurn(exchange: Exchange, encoding: RequestEncoding, body: Buffer): void {
  const { route, answer } = exchange;
  const { fresh, continued } = route.share.queues;
  const queue = continuesStream(encoding, body) ? continued : fresh;
  const end = queue.enter(() => sendWhole(exchange, body, 1));
  if (end === undefined) refuseRequest(answer, tooManyWait);
  else answer.once("close", end);
}

/**
 * Sends a request, and sends it again if the server answers that the namespace does not exist: it also answers
 * this, without having done anything, while it closes a namespace to make room for others.
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
  // A truncated answer must not arrive as a complete short one: pipeline destroys the other side.
  pipeline(response, answer, () => {});
}

/**
 * Hrana clients show `message` to their user instead of the status; the server puts its own reason in `error`. A bad
 * token gets no `message`, so that clients show the status, as when the server itself refuses the token.
 */
function refuseRequest(answer: ServerResponse, { status, message }: Refusal): void {
  refuse(answer, status, status === 401 ? { error: message } : { error: message, message });
}

function refuse(answer: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  const text = JSON.stringify(body);
  // The rest of the request body is not used: the connection ends with this answer.
  answer.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    connection: "close",
  });
  answer.end(text);
}
