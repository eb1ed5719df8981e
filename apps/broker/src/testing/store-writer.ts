import { join } from "node:path";
import { type Client, createClient, type InStatement, LibsqlError } from "@libsql/client";
import { CompactSign, exportJWK, generateKeyPair } from "jose";

export type StoreRow = Record<string, string | number | null>;

/** Somebody who can write to the store's file and has no key of the broker. */
export type StoreWriter = {
  readonly run: (...statements: InStatement[]) => Promise<void>;
  readonly rows: (query: string) => Promise<StoreRow[]>;
  /** The first of them. @throws Error when there is none */
  readonly only: (query: string) => Promise<StoreRow>;
  readonly insert: (table: string, row: StoreRow) => Promise<void>;
  /** Takes the lock of all writers, and gives what releases it. */
  readonly hold: () => Promise<() => Promise<void>>;
  /** Signs what a broker signs, with a key pair of its own. */
  readonly sign: (kid: string, type: string, payload: unknown) => Promise<string>;
  /** The public half of that pair, as the store has one. */
  readonly publicKey: string;
};

export async function createStoreWriter(dataDirectory: string): Promise<StoreWriter> {
  const own = await generateKeyPair("EdDSA", { extractable: true });
  const open = async () => {
    const client = createClient({ url: `file:${join(dataDirectory, "keyloan.db")}`, timeout: 10 });
    await client.execute("PRAGMA writable_schema = ON");
    return client;
  };
  const use = async <T>(work: (onceFree: OnceFree) => Promise<T>): Promise<T> => {
    // A broker of this process looks at what the file is built of once in a turn of the event loop.
    await nextTurn();
    const connection = await reopened(open);
    try {
      return await work(connection.onceFree);
    } finally {
      connection.close();
    }
  };
  const rows = (query: string): Promise<StoreRow[]> =>
    use(async (onceFree) => {
      const found = await onceFree((client) => client.execute(query));
      return found.rows.map((row) =>
        Object.fromEntries(found.columns.map((name) => [name, plain(row[name])])),
      );
    });
  return {
    run: (...statements) =>
      use(async (onceFree) => {
        for (const statement of statements) await onceFree((client) => client.execute(statement));
      }),
    rows,
    only: async (query) => {
      const [row] = await rows(query);
      if (row === undefined) throw new Error(`no row: ${query}`);
      return row;
    },
    insert: (table, row) =>
      use(async (onceFree) => {
        const names = Object.keys(row);
        const sql = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
        await onceFree((client) => client.execute({ sql, args: Object.values(row) }));
      }),
    hold: async () => {
      const connection = await reopened(open);
      const held = await connection.onceFree((client) => client.transaction("write"));
      return async () => {
        await held.rollback();
        connection.close();
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
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

type OnceFree = <T>(statement: (client: Client) => Promise<T>) => Promise<T>;

/**
 * A broker of this process may hold the lock, and needs this thread to release it. Each attempt has a connection of its
 * own: on one where a statement was refused, what comes next is never committed.
 */
async function reopened(
  open: () => Promise<Client>,
): Promise<{ readonly onceFree: OnceFree; readonly close: () => void }> {
  let client = await open();
  const onceFree: OnceFree = async (statement) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await statement(client);
      } catch (error) {
        const isBusy = error instanceof LibsqlError && error.code.startsWith("SQLITE_BUSY");
        if (!isBusy || attempt === attemptsMax) throw error;
        client.close();
        client = await open();
        await nextTurn();
      }
    }
  };
  return { onceFree, close: () => client.close() };
}

function plain(value: unknown): string | number | null {
  return typeof value === "string" || typeof value === "number" ? value : null;
}
