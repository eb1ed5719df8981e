import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNamespaceKey, createNamespaceTokenSigner, startLibsqlServer } from "@keyloan/local-servers";
import { testContext } from "../../testing/harness.ts";
import { type LibsqlDatabase, type Rows, runPipeline, type Statement } from "../pipeline.ts";

export type TestDatabase = LibsqlDatabase & {
  /** Runs statements and gives what the last one gave. @throws Error with the database's code */
  readonly run: (...statements: (string | Statement)[]) => Promise<Rows>;
  /** One row's values as they came, for comparing. */
  readonly values: (sql: string) => Promise<unknown[]>;
  readonly configure: (settings: { blockWrites?: boolean; blockReads?: boolean }) => Promise<void>;
};

/** A real libSQL server with any number of empty databases. */
export async function startTestDatabases() {
  const dataDirectory = await mkdtemp(join(tmpdir(), "keyloan-content-"));
  const server = await startLibsqlServer({ dataDirectory });
  const add = async (options: { readonly maxDatabaseSize?: string } = {}): Promise<TestDatabase> => {
    const namespace = `db-${randomUUID()}`;
    const key = createNamespaceKey();
    await server.admin.create(namespace, { jwtKey: key.publicKey, ...options });
    const { port } = await server.gateway.open({ namespace });
    const sign = createNamespaceTokenSigner(key);
    const token = await sign({ namespace, access: "read-write", tokenId: "test" });
    const address = `http://127.0.0.1:${port}`;
    const database: LibsqlDatabase = { provider: "libsql", context: testContext(), address, token };
    const run = async (...statements: (string | Statement)[]) => {
      const { status, results = [] } = await runPipeline(database, statements, 60_000);
      const failed = results.findIndex(({ ok }) => !ok);
      const last = results.at(failed);
      if (status === 200 && last?.ok === true) return last.rows;
      const code = last?.ok === false ? last.code : status;
      throw new Error(`${JSON.stringify(statements[failed])?.slice(0, 200)}: ${code}`);
    };
    return {
      ...database,
      run,
      values: async (sql) => ((await run(sql))[0] ?? []).map((cell) => cell.value ?? cell.base64 ?? null),
      configure: (settings) => server.admin.configure(namespace, settings),
    };
  };
  return {
    add,
    close: async () => {
      await server.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** All of a dump. */
export async function collect(dump: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of dump) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A dump as it comes from somewhere, in pieces that fall anywhere. */
export async function* inPieces(dump: Uint8Array, bytes = 10_007): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < dump.length; index += bytes) yield dump.subarray(index, index + bytes);
}
