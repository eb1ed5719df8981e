import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LibsqlServer, type LibsqlServerOptions, startLibsqlServer } from "../server.ts";
import { createNamespaceKey, createNamespaceTokenSigner, type NamespaceTokenOptions } from "../tokens.ts";

export type TestDatabase = {
  readonly namespace: string;
  readonly port: number;
  readonly url: string;
  readonly token: (options?: Partial<NamespaceTokenOptions>) => Promise<string>;
  readonly cutConnections: () => void;
  readonly close: () => Promise<void>;
};

/** A server on a temporary folder, with databases that have a key and a port of their own. */
export async function startTestServer(options: Pick<LibsqlServerOptions, "walls"> = {}) {
  const dataDirectory = await mkdtemp(join(tmpdir(), "keyloan-libsql-"));
  const server = await startLibsqlServer({ ...options, dataDirectory });
  return {
    server,
    dataDirectory,
    addDatabase: (namespace: string) => addDatabase(server, namespace),
    close: async () => {
      await server.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

async function addDatabase(server: LibsqlServer, namespace: string): Promise<TestDatabase> {
  const key = createNamespaceKey();
  const sign = createNamespaceTokenSigner(key);
  await server.admin.create(namespace, { jwtKey: key.publicKey });
  const opened = await server.gateway.open({ namespace });
  return {
    namespace,
    ...opened,
    url: `http://127.0.0.1:${opened.port}`,
    token: (options) => sign({ namespace, access: "read-write", tokenId: "test", ...options }),
  };
}
