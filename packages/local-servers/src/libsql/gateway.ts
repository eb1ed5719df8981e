import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream";
import {
  answerHeaders,
  forwardedHeaders,
  isAllowedTarget,
  isWebSocketTarget,
  upgradeHeaders,
} from "./gateway-rules.ts";
import { checkNamespaceName } from "./namespace-name.ts";

/** One database on a port of its own. */
export type OpenDatabase = {
  readonly port: number;
  /** Cuts every open connection; new ones are taken. */
  readonly cutConnections: () => void;
  /** Stops listening and cuts every open connection at once. */
  readonly close: () => Promise<void>;
};

/**
 * Gives each namespace its own loopback port, so that `http://127.0.0.1:<port>` is a whole database URL
 * for any client: none needs to resolve a name, set a header or keep a path.
 */
export type LibsqlGateway = {
  /**
   * @param options.port the port of an earlier time; absent: the next free one
   * @throws the system error (EADDRINUSE) when the given port is taken
   */
  readonly open: (options: { readonly namespace: string; readonly port?: number }) => Promise<OpenDatabase>;
  readonly close: () => Promise<void>;
};

/** Below the range from which systems take ports for outgoing connections, so that a port can be had again. */
export const gatewayPorts = { first: 20_000, last: 29_999 } as const;

/** @param firstPort where to start looking for free ports; different per data directory, so that two rarely meet */
export function createLibsqlGateway(upstreamPort: number, firstPort: number): LibsqlGateway {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, scheduling: "lifo" });
  const databases = new Set<OpenDatabase>();
  let nextPort = firstPort;
  const takePort = () => {
    const port = nextPort;
    nextPort = port >= gatewayPorts.last ? gatewayPorts.first : port + 1;
    return port;
  };
  return {
    open: async ({ namespace, port }) => {
      const serve = createDatabaseServer({ agent, upstreamPort, namespace: checkNamespaceName(namespace) });
      const listening = port ?? (await listenOnNextFree(serve.server, takePort));
      if (port !== undefined) await listen(serve.server, port);
      const database: OpenDatabase = {
        port: listening,
        cutConnections: serve.cutConnections,
        close: async () => {
          databases.delete(database);
          const closed = new Promise((resolve) => serve.server.close(resolve));
          serve.cutConnections();
          await closed;
        },
      };
      databases.add(database);
      return database;
    },
    close: async () => {
      await Promise.all([...databases].map((database) => database.close()));
      agent.destroy();
    },
  };
}

type Route = { readonly agent: Agent; readonly upstreamPort: number; readonly namespace: string };

function createDatabaseServer(route: Route): {
  readonly server: Server;
  readonly cutConnections: () => void;
} {
  const sockets = new Set<Duplex>();
  const server = createServer((incoming, answer) => forward(route, incoming, answer));
  // Queries may take long; only headers must come soon.
  server.requestTimeout = 0;
  server.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (incoming, socket, head) => forwardUpgrade(route, incoming, socket, head));
  return {
    server,
    cutConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function forward(route: Route, incoming: IncomingMessage, answer: ServerResponse): void {
  if (!isAllowedTarget(incoming.url)) {
    refuse(answer, 404, "no such path");
    return;
  }
  const upstream = request({
    agent: route.agent,
    host: "127.0.0.1",
    port: route.upstreamPort,
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    headers: forwardedHeaders(incoming.headers, route.namespace),
  });
  upstream.once("response", (response) => {
    answer.writeHead(response.statusCode ?? 502, answerHeaders(response.headers));
    // A cut answer must arrive as cut, never as a complete short one: pipeline destroys the other side.
    pipeline(response, answer, () => {});
  });
  upstream.once("error", () => {
    if (answer.headersSent) answer.destroy();
    else refuse(answer, 502, "the database server does not answer");
  });
  answer.once("close", () => upstream.destroy());
  incoming.pipe(upstream);
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

/**
 * Becomes a tunnel only after the server has agreed to speak WebSocket. Before that the client could
 * send a second, unchecked request down the same connection and name another namespace in it.
 */
function forwardUpgrade(route: Route, incoming: IncomingMessage, client: Duplex, head: Buffer): void {
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

async function listenOnNextFree(server: Server, takePort: () => number): Promise<number> {
  for (let attempt = 0; attempt <= gatewayPorts.last - gatewayPorts.first; attempt++) {
    const port = takePort();
    try {
      await listen(server, port);
      return port;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    }
  }
  throw new Error(`No free port between ${gatewayPorts.first} and ${gatewayPorts.last} is left.`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      resolve();
    });
  });
}
