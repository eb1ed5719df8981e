import { join } from "node:path";
import { type Client, createClient, type InStatement, LibsqlError } from "@libsql/client";
import { CompactSign, exportJWK, generateKeyPair } from "jose";

export type StoreRow = Record<string, string | number | null>;

/** Somebody who can write to the store's file and has no key of the broker. */
export type StoreWriter = {
  readonly run: (...statements: InStatement[]) => Promise<void>;
  readonly rows: (query: string) => Promise<StoreRow[]>;
  readonly insert: (table: string, row: StoreRow) => Promise<void>;
  /** Takes the lock of all writers, and gives what lets go of it. */
  readonly hold: () => Promise<() => Promise<void>>;
  /** Signs what a broker signs, with a key pair of its own. */
  readonly sign: (kid: string, type: string, payload: unknown) => Promise<string>;
  /** The public half of that pair, as the store has one. */
  readonly publicKey: string;
};

export async function createStoreWriter(dataDirectory: string): Promise<StoreWriter> {
  const own = await generateKeyPair("EdDSA", { extractable: true });
  const open = () => createClient({ url: `file:${join(dataDirectory, "keyloan.db")}`, timeout: 10 });
  const withClient = async <T>(use: (client: Client) => Promise<T>): Promise<T> => {
    // A broker of this process looks at what the file is built of once in a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    const client = open();
    try {
      return await use(client);
    } finally {
      client.close();
    }
  };
  return {
    run: (...statements) =>
      withClient(async (client) => {
        for (const statement of statements) await onceFree(() => client.execute(statement));
      }),
    rows: (query) =>
      withClient(async (client) => {
        const { rows, columns } = await onceFree(() => client.execute(query));
        return rows.map((row) => Object.fromEntries(columns.map((name) => [name, plain(row[name])])));
      }),
    insert: (table, row) =>
      withClient(async (client) => {
        const names = Object.keys(row);
        const sql = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
        await onceFree(() => client.execute({ sql, args: Object.values(row) }));
      }),
    hold: async () => {
      const client = open();
      const held = await onceFree(() => client.transaction("write"));
      return async () => {
        await held.rollback();
        client.close();
      };
    },
    sign: (kid, type, payload) =>
      new CompactSign(Buffer.from(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "EdDSA", kid, typ: type })
        .sign(own.privateKey),
    publicKey: JSON.stringify(await exportJWK(own.publicKey)),
  };
}

const attemptsMax = 500;

/** A broker of this process may hold the lock, and needs this thread to let go of it. */
async function onceFree<T>(use: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await use();
    } catch (error) {
      const isBusy = error instanceof LibsqlError && error.code.startsWith("SQLITE_BUSY");
      if (!isBusy || attempt === attemptsMax) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function plain(value: unknown): string | number | null {
  return typeof value === "string" || typeof value === "number" ? value : null;
}
