import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { RequestEncoding } from "./gateway-judge.ts";
import type { DatabaseShare } from "./gateway-limits.ts";
import type { Judge } from "./judge-in-turn.ts";

/** Where the requests of one port go. */
export type GatewayRoute = {
  readonly agent: Agent;
  /** Where the server answers now; undefined while it is being started again. */
  readonly upstreamPort: () => number | undefined;
  readonly namespace: string;
  /** Whether the namespace's own key signed a token. */
  readonly isSigned: (token: string) => boolean;
  readonly judge: Judge;
  readonly share: DatabaseShare;
};

// What libSQL clients of any language call: Hrana 1–3 over HTTP, what came before it (`/`), health and version,
// each with the form of its body, which the server too takes from the path alone. The server's other paths are
// left out on purpose: /dev/<namespace>/… and its gRPC services choose a namespace themselves, and /dump builds
// SQL from the names of columns without quoting them, which may be any text of an expression, comments too.
const paths: ReadonlyMap<string, RequestEncoding> = new Map([
  ["/", "json"],
  ["/health", "none"],
  ["/version", "none"],
  ["/v1", "none"],
  ["/v1/execute", "json"],
  ["/v1/batch", "json"],
  ["/v2", "none"],
  ["/v2/pipeline", "json"],
  ["/v3", "none"],
  ["/v3/pipeline", "json"],
  ["/v3/cursor", "json"],
  ["/v3-protobuf", "none"],
  ["/v3-protobuf/pipeline", "pipeline"],
  ["/v3-protobuf/cursor", "cursor"],
]);

// By the subprotocol that the server chose; without one it speaks the first version.
const subprotocols: ReadonlyMap<string | undefined, RequestEncoding> = new Map([
  [undefined, "json"],
  ["hrana1", "json"],
  ["hrana2", "json"],
  ["hrana3", "json"],
  ["hrana3-protobuf", "message"],
]);

// Not accept-encoding: on one machine, compressing costs more than it saves. The length is that of the
// body that is sent on.
const requestHeaders = [
  "accept",
  "access-control-request-headers",
  "access-control-request-method",
  "authorization",
  "content-type",
  "origin",
  "user-agent",
] as const;

// No extensions: what is sent has to be read here.
const webSocketHeaders = [
  "origin",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
  "user-agent",
] as const;

const hopHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * How the body of a request to this target is written, or undefined when nothing may go there. Compared as
 * sent, byte for byte: an encoded, doubled or absolute form of another path is not in the list.
 */
export function encodingOfTarget(target: string | undefined): RequestEncoding | undefined {
  return target === undefined ? undefined : paths.get(pathOf(target));
}

/** The token of a request, of whatever right. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headers.authorization ?? "")?.[1];
}

/**
 * Whether a request goes on with a stream that an earlier one began. One that pretends to only waits in
 * another queue.
 */
export function continuesStream(encoding: RequestEncoding, body: Buffer): boolean {
  if (encoding === "json") return /"baton"\s*:\s*"/.test(body.toString("latin1"));
  return (encoding === "pipeline" || encoding === "cursor") && body[0] === batonTag;
}

/** Field 1, a text: it comes first. */
const batonTag = 0x0a;

/** How the messages of a WebSocket are written, or undefined for a subprotocol that is not known here. */
export function encodingOfSubprotocol(subprotocol: string | undefined): RequestEncoding | undefined {
  return subprotocols.get(subprotocol);
}

/** Whether a WebSocket may be opened here; clients open it at the root. */
export function isWebSocketTarget(target: string | undefined): boolean {
  return target !== undefined && pathOf(target) === "/";
}

function pathOf(target: string): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

/** The headers that travel on: a closed list, with the namespace named by us alone. */
export function forwardedHeaders(headers: IncomingHttpHeaders, namespace: string): OutgoingHttpHeaders {
  return pick(headers, requestHeaders, namespace);
}

/** The same for an upgrade. Only WebSocket is asked for: an upgrade to HTTP/2 would open every path. */
export function upgradeHeaders(headers: IncomingHttpHeaders, namespace: string): OutgoingHttpHeaders {
  return { ...pick(headers, webSocketHeaders, namespace), connection: "Upgrade", upgrade: "websocket" };
}

/** An answer's headers without those that belong to one connection. */
export function answerHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.has(name)));
}

function pick(
  headers: IncomingHttpHeaders,
  names: readonly string[],
  namespace: string,
): OutgoingHttpHeaders {
  const picked: OutgoingHttpHeaders = { host: `${namespace}.db` };
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
