import { join } from "node:path";
import { createClient } from "@libsql/client";
import { CompactSign, exportJWK, generateKeyPair } from "jose";

export type StoreRow = Record<string, string | number | null>;

/** Somebody who can write to the store's file and has no key of the broker. */
export type StoreWriter = {
  readonly run: (...statements: string[]) => Promise<void>;
  readonly rows: (query: string) => Promise<StoreRow[]>;
  readonly insert: (table: string, row: StoreRow) => Promise<void>;
  /** Signs what a broker signs, with a key pair of its own. */
  readonly sign: (kid: string, type: string, payload: unknown) => Promise<string>;
  /** The public half of that pair, as the store has one. */
  readonly publicKey: string;
};

export async function createStoreWriter(dataDirectory: string): Promise<StoreWriter> {
  const own = await generateKeyPair("EdDSA", { extractable: true });
  const withClient = async <T>(use: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> => {
    const client = createClient({ url: `file:${join(dataDirectory, "keyloan.db")}`, timeout: 5_000 });
    try {
      return await use(client);
    } finally {
      client.close();
    }
  };
  return {
    run: (...statements) =>
      withClient(async (client) => {
        for (const statement of statements) await client.execute(statement);
      }),
    rows: (query) =>
      withClient(async (client) => {
        const { rows, columns } = await client.execute(query);
        return rows.map((row) => Object.fromEntries(columns.map((name) => [name, plain(row[name])])));
      }),
    insert: (table, row) =>
      withClient(async (client) => {
        const names = Object.keys(row);
        const sql = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
        await client.execute({ sql, args: Object.values(row) });
      }),
    sign: (kid, type, payload) =>
      new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "EdDSA", kid, typ: type })
        .sign(own.privateKey),
    publicKey: JSON.stringify(await exportJWK(own.publicKey)),
  };
}

function plain(value: unknown): string | number | null {
  return typeof value === "string" || typeof value === "number" ? value : null;
}
