import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { createLibsqlAdmin, type LibsqlAdmin } from "./admin.ts";
import { createAdminHttp } from "./admin-http.ts";
import { createLibsqlGateway, gatewayPorts, type LibsqlGateway } from "./gateway.ts";
import { keepSqld } from "./keep-sqld.ts";
import { createNamespaceKeys } from "./namespace-keys.ts";
import type { SqldWall } from "./sqld-wall.ts";

export type LibsqlServerOptions = {
  /** Contains all databases; created if it does not exist, mode 0700. One server per directory. */
  readonly dataDirectory: string;
  /** Gets one line for each event of the server; never a query or a key. */
  readonly log?: (line: string) => void;
  /** The ways to hide files outside its folder from it; by default those that suit the user who runs it. */
  readonly walls?: readonly SqldWall[];
};

/** A running libSQL server, reachable only through the admin client and the ports opened by the gateway. */
export type LibsqlServer = {
  /** Of the process that answers now; changes when the server is started again. */
  readonly pid: number;
  /** Whether its process sees no file outside the data folder; false where no wall can be raised. */
  readonly walled: boolean;
  readonly admin: LibsqlAdmin;
  readonly gateway: LibsqlGateway;
  /** The server's own URL, without the gateway, for measurements; it needs a `Host` that names a namespace. */
  readonly directUrl: string;
  /** Settles when the server has ended and is not started again. */
  readonly exited: Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Starts a libSQL server with namespaces on 127.0.0.1 and waits until it answers. If it ends by itself, it is started
 * again, and the gateway answers 503 meanwhile. It ends with this process. A server that a killed process left on the
 * same directory is ended first.
 * @throws Error in one sentence if it cannot start
 */
export async function startLibsqlServer(options: LibsqlServerOptions): Promise<LibsqlServer> {
  const log = options.log ?? (() => {});
  const kept = await keepSqld(options.dataDirectory, log, options.walls);
  const http = createAdminHttp(kept.whenRunning);
  const keys = createNamespaceKeys();
  const admin = createLibsqlAdmin(http, keys.set);
  const gateway = createLibsqlGateway(
    () => kept.running()?.httpPort,
    firstPortOf(resolve(options.dataDirectory)),
    keys.signed,
  );
  return {
    get pid() {
      return kept.process().pid;
    },
    walled: kept.process().wall !== undefined,
    admin,
    gateway: {
      ...gateway,
      open: async (options) => {
        const opened = await gateway.open(options);
        // Reads the key of a database from an earlier start. One that does not exist yet gets its key on creation.
        if (!keys.has(options.namespace)) await admin.settings(options.namespace).catch(() => undefined);
        return opened;
      },
    },
    get directUrl() {
      return `http://127.0.0.1:${kept.process().httpPort}`;
    },
    exited: kept.exited,
    close: async () => {
      await gateway.close();
      http.close();
      await kept.stop();
    },
  };
}

function firstPortOf(dataDirectory: string): number {
  const count = gatewayPorts.last - gatewayPorts.first + 1;
  return gatewayPorts.first + (createHash("sha256").update(dataDirectory).digest().readUInt32BE(0) % count);
}
