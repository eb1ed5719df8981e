import { Agent, createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createByteBudget } from "./byte-budget.ts";
import { forwardRequest } from "./gateway-http.ts";
import { createDatabaseShare, type GatewayLimits, gatewayLimits } from "./gateway-limits.ts";
import type { GatewayRoute } from "./gateway-rules.ts";
import { forwardUpgrade } from "./gateway-websocket.ts";
import { createJudge } from "./judge-in-turn.ts";
import { checkNamespaceName } from "./namespace-name.ts";

/** One database on a port of its own. */
export type OpenDatabase = {
  readonly port: number;
  /** Cuts every open connection; new ones are accepted. */
  readonly cutConnections: () => void;
  /** Stops listening and cuts every open connection at once. */
  readonly close: () => Promise<void>;
};

/**
 * Gives each namespace its own loopback port, so that `http://127.0.0.1:<port>` is a complete database URL
 * for any client: no client needs to resolve a name, set a header or keep a path.
 */
export type LibsqlGateway = {
  /**
   * @param options.port the port that the database had before; absent: the next free one
   * @param options.onUse called for every request, and whenever a client sends something over a WebSocket
   * @throws the system error (EADDRINUSE) if the given port is taken
   */
  readonly open: (options: {
    readonly namespace: string;
    readonly port?: number;
    readonly onUse?: () => void;
  }) => Promise<OpenDatabase>;
  readonly close: () => Promise<void>;
};

/** Below the range that systems use for outgoing connections, so that a database can get its port again. */
export const gatewayPorts = { first: 20_000, last: 29_999 } as const;

/**
 * @param upstreamPort where the server answers now; undefined while it is being started again
 * @param isSigned whether the namespace's key signed a token; without that, no request body is held or judged
 * @param firstPort where to start looking for free ports; depends on the data directory, so that two rarely collide
 */
export function createLibsqlGateway(
  upstreamPort: GatewayRoute["upstreamPort"],
  firstPort: number,
  isSigned: (namespace: string, token: string) => boolean,
  limits: GatewayLimits = gatewayLimits,
): LibsqlGateway {
  const judge = createJudge();
  const budget = createByteBudget(limits.heldBytesMax);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, scheduling: "lifo" });
  const databases = new Set<OpenDatabase>();
  let nextPort = firstPort;
  const takePort = () => {
    const port = nextPort;
    nextPort = port >= gatewayPorts.last ? gatewayPorts.first : port + 1;
    return port;
  };
  return {
    open: async ({ namespace, port, onUse = () => {} }) => {
      const share = createDatabaseShare(limits, budget);
      const route = {
        agent,
        upstreamPort,
        namespace: checkNamespaceName(namespace),
        isSigned: (token: string) => isSigned(namespace, token),
        judge,
        share,
      };
      const serve = createDatabaseServer(route, onUse);
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
      await judge.close();
    },
  };
}

function createDatabaseServer(
  route: GatewayRoute,
  onUse: () => void,
): {
  readonly server: Server;
  readonly cutConnections: () => void;
} {
  const sockets = new Set<Duplex>();
  const { limits } = route.share;
  // Requests must arrive soon; their answers may take long.
  const times = {
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.arrivalTimeoutMs),
    requestTimeout: limits.arrivalTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, limits.arrivalTimeoutMs),
  };
  const server = createServer(times, (incoming, answer) => {
    onUse();
    forwardRequest(route, incoming, answer);
  });
  server.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (incoming, socket, head) => {
    const place = route.share.webSockets.enter(() => socket.destroy());
    if (place === undefined) {
      socket.on("error", () => socket.destroy());
      socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    socket.once("close", place.leave);
    onUse();
    socket.on("data", onUse);
    forwardUpgrade(route, incoming, socket, head, place);
  });
  return {
    server,
    cutConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
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
