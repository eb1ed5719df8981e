import {
  type CallAnswer,
  type CallInput,
  type CallParts,
  type KnownRoute,
  patienceSeconds,
  userAgent,
} from "@keyloan/contract/calls";
import { parseAddress, routeParts, routeUrl } from "./address.ts";
import { type Answer, type AnswerRules, readAnswer } from "./answer.ts";
import { KeyloanError } from "./errors.ts";
import { createNodeTransport, type Transport, type TransportRequest } from "./transport.ts";

export type ClientOptions = {
  /** The broker's address, such as `https://keyloan.example.com`. */
  readonly url: string;
  /** Without one only the open routes answer. */
  readonly token?: string | undefined;
  /** For one whole call; 10 seconds by default. A call that waits for a build gets its waiting time on top. */
  readonly timeoutMs?: number | undefined;
  readonly responseBytesMax?: number | undefined;
  /** Allow `http://` to other machines. The token then travels unencrypted. */
  readonly allowInsecure?: boolean | undefined;
  /** Keep connections open between calls: for a server that calls often. Off by default. */
  readonly keepAlive?: boolean | undefined;
  /** Sends one request; node:http by default. */
  readonly transport?: Transport | undefined;
  /** Waits before a retry. */
  readonly sleep?: ((milliseconds: number) => Promise<void>) | undefined;
};

export type CallRequest = AnswerRules & {
  readonly method: TransportRequest["method"];
  readonly path: string;
  readonly query?: CallParts["query"];
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer may take on top of what any does. */
  readonly patienceSeconds?: number;
  /** Takes the body piece by piece instead: for answers of any size. */
  readonly take?: TransportRequest["take"];
  readonly signal?: AbortSignal | undefined;
};

/** Sends authenticated requests to one broker. */
export type Caller = {
  readonly base: URL;
  readonly call: (request: CallRequest) => Promise<Answer>;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

/** What a call needs beyond what its route says. */
type CallRules = Omit<CallRequest, "method" | "path" | "query" | "body" | "expect" | "patienceSeconds">;

const timeoutMsDefault = 10_000;
const responseBytesMaxDefault = 4 * 1024 * 1024;

/**
 * The function all calls go through. The token stays inside of it: no object that can be printed has it.
 * @throws KeyloanError `invalid_url`, `insecure_url` or `invalid_token`
 */
export function createCaller(options: ClientOptions): Caller {
  const base = parseAddress(options.url, options.allowInsecure);
  const token = checkedToken(options.token);
  const transport = options.transport ?? createNodeTransport(options.keepAlive);
  const call = async (request: CallRequest) => {
    const url = routeUrl(base, request.path, request.query);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const response = await transport({
      url,
      method: request.method,
      headers: {
        accept: request.expect === "text" ? "text/plain, */*;q=0.5" : "application/json",
        "user-agent": userAgent,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...request.headers,
      },
      body,
      timeoutMs: (options.timeoutMs ?? timeoutMsDefault) + (request.patienceSeconds ?? 0) * 1000,
      responseBytesMax: options.responseBytesMax ?? responseBytesMaxDefault,
      take: request.take,
      signal: request.signal,
    });
    return readAnswer(url, request, response, token);
  };
  return { base, call, sleep: options.sleep ?? sleep };
}

/** One call, typed by its route: its JSON. */
export async function ask<R extends KnownRoute>(
  caller: Caller,
  route: R,
  input: CallInput<R>,
  rules: CallRules = {},
): Promise<CallAnswer<R>> {
  const answer = await send(caller, route, input, "json", rules);
  // Holds because the broker makes the answer of the same endpoint.
  return answer.body as CallAnswer<R>;
}

/** One call, typed by its route, whose answer is not looked at, or is text. */
export function send<R extends KnownRoute>(
  caller: Caller,
  route: R,
  input: CallInput<R>,
  expect: AnswerRules["expect"],
  rules: CallRules = {},
): Promise<Answer> {
  const { params, query, body }: CallParts = input;
  return caller.call({
    ...routeParts(route, params),
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
    ...rules,
    patienceSeconds: patienceSeconds(route, query?.wait),
    expect,
  });
}

function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new KeyloanError("invalid_token", "The token is empty or contains characters that no token has.", {
    remedy: "Set KEYLOAN_TOKEN to one token as it was shown, without spaces or line breaks.",
  });
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
