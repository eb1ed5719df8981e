import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { RequestEncoding } from "./gateway-judge.ts";
import type { DatabaseShare } from "./gateway-limits.ts";
import type { Judge } from "./judge-in-turn.ts";

/** Where the requests of one port go. */
export type GatewayRoute = {
  readonly agent: Agent;
  /** The port on which the server answers now; undefined while it is being started again. */
  readonly upstreamPort: () => number | undefined;
  readonly namespace: string;
  /** Whether the namespace's own key signed a token. */
  readonly isSigned: (token: string) => boolean;
  readonly judge: Judge;
  readonly share: DatabaseShare;
};

// The paths that libSQL clients of any language call: Hrana 1–3 over HTTP, its predecessor (`/`), health and version,
// each with the format of its body, which the server too decides by the path alone. The server's other paths are
// left out on purpose: /dev/<namespace>/… and its gRPC services choose a namespace themselves, and /dump builds
// SQL from column names without quoting them, and these may be the text of any expression, comments included.
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

// The keys are the subprotocols that the server may choose; without one it speaks the first version.
const subprotocols: ReadonlyMap<string | undefined, RequestEncoding> = new Map([
  [undefined, "json"],
  ["hrana1", "json"],
  ["hrana2", "json"],
  ["hrana3", "json"],
  ["hrana3-protobuf", "message"],
]);

// Without accept-encoding: on one machine, compressing costs more than it saves. Without content-length: it is
// computed from the body that is forwarded.
const requestHeaders = [
  "accept",
  "access-control-request-headers",
  "access-control-request-method",
  "authorization",
  "content-type",
  "origin",
  "user-agent",
] as const;

// Without extensions, because the gateway has to read the messages.
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
 * The format of the body of a request to this target; undefined if no request may go there. Paths are compared as
 * sent, byte for byte: an encoded, doubled or absolute form of another path is not in the list.
 */
export function encodingOfTarget(target: string | undefined): RequestEncoding | undefined {
  return target === undefined ? undefined : paths.get(pathOf(target));
}

/** The token of a request, whatever rights it has. */
export function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headers.authorization ?? "")?.[1];
}

/**
 * Whether a request continues a stream that an earlier one began. A request that falsely claims so only waits
 * in another queue.
 */
export function continuesStream(encoding: RequestEncoding, body: Buffer): boolean {
  if (encoding === "json") return /"baton"\s*:\s*"/.test(body.toString("latin1"));
  return (encoding === "pipeline" || encoding === "cursor") && body[0] === batonTag;
}

/** The tag of field 1, a text, which comes first in the body. */
const batonTag = 0x0a;

/** The format of a WebSocket's messages; undefined for an unknown subprotocol. */
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

/** The headers to forward: a closed list, and a `host` that names the namespace, which the client cannot choose. */
export function forwardedHeaders(headers: IncomingHttpHeaders, namespace: string): OutgoingHttpHeaders {
  return pick(headers, requestHeaders, namespace);
}

/** The headers to forward with an upgrade. It is only to WebSocket: an upgrade to HTTP/2 would open every path. */
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
