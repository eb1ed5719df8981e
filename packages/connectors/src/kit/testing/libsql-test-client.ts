import { revealValues, type SecretValues } from "@keyloan/contract";
import type { Client } from "@libsql/client";
import { createClient } from "@libsql/client";
import { createClient as createWebSocketClient } from "@libsql/client/ws";
import type { DatabaseSession, DatabaseTestClient } from "./test-database.ts";

/**
 * The plain libSQL client as an app uses it: over HTTP, and over a WebSocket that stays open.
 * @param names the variables that hold the URL and the token
 */
export function libsqlTestClient(names: {
  readonly url: string;
  readonly token: string;
}): DatabaseTestClient {
  const read = (values: SecretValues) => {
    const plain = revealValues(values);
    return { url: plain[names.url] ?? "", authToken: plain[names.token] ?? "" };
  };
  return {
    open: (values) => sessionOf(createClient(read(values))),
    openLasting: (values) => {
      const { url, authToken } = read(values);
      const webSocketUrl = url.replace(/^libsql:/, "wss:").replace(/^http/, "ws");
      return sessionOf(createWebSocketClient({ url: webSocketUrl, authToken }));
    },
    placeOf: (place, secrets) => ({ ...secrets, [names.url]: place[names.url] ?? missing(names.url) }),
    refusalOf: (error) => {
      const cause: unknown = error instanceof Error ? error.cause : undefined;
      const status =
        typeof cause === "object" && cause !== null && "status" in cause ? cause.status : undefined;
      return typeof status === "number" ? status : undefined;
    },
  };
}

function sessionOf(client: Client): DatabaseSession {
  return {
    run: async (statement) => (await client.execute(statement)).rows.map((row) => ({ ...row })),
    runTogether: async (statements) => {
      await client.batch([...statements], "write");
    },
    close: () => client.close(),
  };
}

function missing(name: string): never {
  throw new Error(`${name} is missing`);
}
