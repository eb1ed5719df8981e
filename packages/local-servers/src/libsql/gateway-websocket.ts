import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { type GatewayRoute, isWebSocketTarget, upgradeHeaders } from "./gateway-rules.ts";

/**
 * Becomes a tunnel only after the server has agreed to speak WebSocket. Before that the client could
 * send a second, unchecked request down the same connection and name another namespace in it.
 */
export function forwardUpgrade(
  route: GatewayRoute,
  incoming: IncomingMessage,
  client: Duplex,
  head: Buffer,
): void {
  client.on("error", () => client.destroy());
  if (!isWebSocketTarget(incoming.url) || incoming.headers.upgrade?.toLowerCase() !== "websocket") {
    endRaw(client, "404 Not Found");
    return;
  }
  const upstream = request({
    agent: false,
    host: "127.0.0.1",
    port: route.upstreamPort,
    method: "GET",
    path: incoming.url ?? "/",
    headers: upgradeHeaders(incoming.headers, route.namespace),
  });
  client.once("close", () => upstream.destroy());
  upstream.once("error", () => endRaw(client, "502 Bad Gateway"));
  upstream.once("response", (response) => {
    response.resume();
    endRaw(client, response.statusCode === 404 ? "404 Not Found" : "400 Bad Request");
  });
  upstream.once("upgrade", (response, server, serverHead) => {
    if (!client.writable) {
      server.destroy();
      return;
    }
    server.setNoDelay(true);
    client.write(switchingHead(response));
    if (serverHead.length > 0) client.write(serverHead);
    if (head.length > 0) server.write(head);
    server.on("error", () => server.destroy());
    server.once("close", () => client.destroy());
    client.once("close", () => server.destroy());
    client.pipe(server).pipe(client);
  });
  upstream.end();
}

function switchingHead(response: IncomingMessage): string {
  const lines = ["HTTP/1.1 101 Switching Protocols"];
  for (let index = 0; index < response.rawHeaders.length; index += 2) {
    lines.push(`${response.rawHeaders[index]}: ${response.rawHeaders[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function endRaw(client: Duplex, status: string): void {
  if (client.writable) client.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  client.once("finish", () => client.destroy());
}
