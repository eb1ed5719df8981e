import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { judgeMessages } from "./gateway-messages.ts";
import {
  encodingOfSubprotocol,
  type GatewayRoute,
  isWebSocketTarget,
  upgradeHeaders,
} from "./gateway-rules.ts";
import { createMessageCounter, writeWebSocketFrame } from "./websocket-frames.ts";
import type { WebSocketPlace } from "./websocket-places.ts";

/**
 * Forwards a WebSocket and judges every message on its way to the server. It begins only after the server
 * has agreed to speak WebSocket: before that the client could send a second, unchecked request down the
 * same connection and name another namespace in it.
 */
export function forwardUpgrade(
  route: GatewayRoute,
  incoming: IncomingMessage,
  client: Duplex,
  head: Buffer,
  place: WebSocketPlace,
): void {
  client.on("error", () => client.destroy());
  if (!isWebSocketTarget(incoming.url) || incoming.headers.upgrade?.toLowerCase() !== "websocket") {
    endRaw(client, "404 Not Found");
    return;
  }
  const port = route.upstreamPort();
  if (port === undefined) {
    endRaw(client, "503 Service Unavailable");
    return;
  }
  const upstream = request({
    agent: false,
    host: "127.0.0.1",
    port,
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
    const encoding = encodingOfSubprotocol(response.headers["sec-websocket-protocol"]);
    if (!client.writable || encoding === undefined) {
      server.destroy();
      client.destroy();
      return;
    }
    server.setNoDelay(true);
    client.write(switchingHead(response));
    if (serverHead.length > 0) client.write(serverHead);
    server.on("error", () => server.destroy());
    server.once("close", () => (client.writableEnded ? undefined : client.destroy()));
    client.once("close", () => server.destroy());
    const judged = judgeMessages(encoding, route, place, (reason) => {
      server.unpipe(client);
      // Whatever else the client sends is discarded for a limited time, so that it can read the reason.
      client.unpipe(judged.stream).resume();
      const gone = setTimeout(() => client.destroy(), closeTimeoutMs);
      client.once("close", () => clearTimeout(gone));
      client.end(writeWebSocketFrame(closeOpcode, closePayload(reason), "server"));
      server.destroy();
    });
    const countAnswers = createMessageCounter();
    if (serverHead.length > 0) judged.onAnswers(countAnswers(serverHead));
    server.on("data", (chunk: Buffer) => judged.onAnswers(countAnswers(chunk)));
    server.once("close", judged.end);
    judged.stream.pipe(server);
    if (head.length > 0) judged.stream.write(head);
    client.pipe(judged.stream);
    server.pipe(client);
  });
  upstream.end();
}

const closeTimeoutMs = 5_000;
const closeOpcode = 8;
const policyViolation = 1008;

/** The reason of a close frame has at most 123 bytes. */
function closePayload(reason: string): Buffer {
  const payload = Buffer.alloc(2 + Math.min(reason.length, 123));
  payload.writeUInt16BE(policyViolation);
  payload.write(reason, 2, "latin1");
  return payload;
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
