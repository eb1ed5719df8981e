import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** Where the requests of one port go. */
export type GatewayRoute = {
  readonly agent: Agent;
  readonly upstreamPort: number;
  readonly namespace: string;
};

// What libSQL clients of any language call: Hrana 1–3 over HTTP, health, version and dump. The server's
// other paths are left out on purpose: /dev/<namespace>/… and its gRPC services choose a namespace themselves.
const paths: ReadonlySet<string> = new Set([
  "/",
  "/health",
  "/version",
  "/dump",
  "/v1",
  "/v1/execute",
  "/v1/batch",
  "/v2",
  "/v2/pipeline",
  "/v3",
  "/v3/pipeline",
  "/v3/cursor",
  "/v3-protobuf",
  "/v3-protobuf/pipeline",
  "/v3-protobuf/cursor",
]);

// Not accept-encoding: on one machine, compressing costs more than it saves.
const requestHeaders = [
  "accept",
  "access-control-request-headers",
  "access-control-request-method",
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "origin",
  "user-agent",
] as const;

const webSocketHeaders = [
  "origin",
  "sec-websocket-extensions",
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
 * Whether a request target may pass. Compared as sent, byte for byte: an encoded, doubled or absolute
 * form of another path is not in the list and therefore goes nowhere.
 */
export function isAllowedTarget(target: string | undefined): boolean {
  return target !== undefined && paths.has(pathOf(target));
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
