import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createCipher, ready } from "../../packages/vault/src/cipher.ts";

/** The part of @libsql/client used here; the package itself belongs to the store. */
type OpenClient = (config: { readonly url: string }) => {
  readonly execute: (
    statement: string | { readonly sql: string; readonly args: readonly unknown[] },
  ) => Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
};

// The least that any broker does: look up one row by its key and open what is sealed in it. No token, no
// audit, no routing. It stores what its parent gives it, and answers that.
const require = createRequire(new URL("../../packages/store/package.json", import.meta.url));
const { createClient }: { createClient: OpenClient } = require("@libsql/client");
const associatedData = Buffer.from("floor");

await ready;
const cipher = createCipher(randomBytes(32));
const client = createClient({ url: `file:${join(process.argv[2] ?? ".", "floor.db")}` });
await client.execute("PRAGMA journal_mode = WAL");
await client.execute("CREATE TABLE sealed (id TEXT PRIMARY KEY, value TEXT NOT NULL)");

const server = createServer((request, response) => {
  const id = request.url?.slice(1) ?? "";
  client.execute({ sql: "SELECT value FROM sealed WHERE id = ?", args: [id] }).then(
    ({ rows }) => {
      const body = Buffer.from(cipher.open(String(rows[0]?.value), associatedData));
      response
        .writeHead(200, { "content-type": "application/json", "content-length": body.length })
        .end(body);
    },
    () => response.writeHead(500).end(),
  );
});

process.once("message", async ({ rows, value }: { rows: number; value: string }) => {
  for (let index = 0; index < rows; index++) {
    const args = [`row-${index}`, cipher.seal(Buffer.from(value), associatedData)];
    await client.execute({ sql: "INSERT INTO sealed VALUES (?, ?)", args });
  }
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.({ port: typeof address === "object" ? address?.port : undefined });
  });
});
process.once("disconnect", () => process.exit(0));
