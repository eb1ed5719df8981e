import { chmod, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/libsql/migrator";
import type { AuditSeal } from "./audit-seal.ts";
import { type Connection, openConnection } from "./connection.ts";
import { checkIntegrity, copyStore } from "./copy-store.ts";
import type { Database } from "./database.ts";
import { StoreError, toStoreError } from "./errors.ts";
import { createGroupWriter, type GroupWriter, type OnAudited } from "./group-writer.ts";
import { openReader } from "./open-reader.ts";
import type { RowMac } from "./row-seal.ts";
import { readStoreShape, type StoreShape } from "./store-shape.ts";
import { createTables, type Tables } from "./tables/index.ts";
import type { UpgradePlace } from "./tables/older-rows.ts";

export type Store = {
  /** Queries on what is committed. */
  readonly read: Tables;
  readonly write: GroupWriter["write"];
  readonly appendAudit: GroupWriter["appendAudit"];
  /** Rows of the audit get a MAC from now on, and those behind the end that have none are no end. */
  readonly sealAudit: (seal: AuditSeal) => void;
  readonly auditSeal: () => AuditSeal | undefined;
  readonly auditMemory: GroupWriter["auditMemory"];
  readonly acceptMissing: GroupWriter["acceptMissing"];
  /** Rows that decide something get a MAC from now on, and those that have none are not there. */
  readonly sealRows: (rowMac: RowMac) => void;
  readonly rowMac: () => RowMac | undefined;
  /**
   * Proves the rows of a store that was brought to this level before. Only before it is sealed that the store is of the
   * newest level: whoever writes to the store can write such rows at any time.
   */
  readonly proveOlderRows: (level: number) => Promise<void>;
  /**
   * Chains the rows of a store from before there was a chain. Only before anything is promised of the audit: whoever
   * writes to the store can write such rows at any time.
   */
  readonly chainOlderRows: () => Promise<void>;
  /** Resolves when the store can be read; writing is proven by the audit row of the caller. */
  readonly check: () => Promise<void>;
  /**
   * How the file is built otherwise than the migrations build it: a trigger, a view, another table or index, or one that
   * is missing or changed, by its name; `undefined` when nothing is.
   */
  readonly findShapeDifference: () => Promise<string | undefined>;
  /** Writes the log back into the file and empties it, so that nothing deleted is left in either. */
  readonly eraseDeleted: () => Promise<void>;
  /**
   * Writes a whole and consistent copy, as of one moment, while others read and write.
   * @param path a file that does not exist yet, in a folder that only the owner may read
   */
  readonly copyTo: (path: string) => Promise<void>;
  /** @throws StoreError when the file is damaged. Reads all of it, on another thread. */
  readonly checkIntegrity: () => Promise<void>;
  /** Waits for queued writes and closes the file. */
  readonly close: () => Promise<void>;
};

/**
 * Opens the embedded store, a libSQL file in WAL mode with full synchronisation: what was acknowledged
 * survives a crash of the process and of the machine. Missing folders and the file are made, readable by
 * their owner alone, and migrations are applied.
 * @throws StoreError when the folder cannot be written or the file is damaged or locked
 */
export async function openStore(options: {
  readonly path: string;
  readonly migrationsFolder?: string;
  readonly onAudited?: OnAudited;
}): Promise<Store> {
  await preparePrivateFile(options.path);
  const migrationsFolder =
    options.migrationsFolder ?? fileURLToPath(new URL("./migrations", import.meta.url));
  const shape = await prepareStore(options.path, migrationsFolder);
  const reader = openReader(options.path, shape);
  try {
    let auditSeal: AuditSeal | undefined;
    let rowMac: RowMac | undefined;
    const seals = { audit: () => auditSeal, rowMac: () => rowMac };
    const read = createTables(reader.database, seals);
    const writer = createGroupWriter(options.path, shape, options.onAudited ?? (() => undefined), seals);
    return {
      read,
      write: writer.write,
      appendAudit: writer.appendAudit,
      sealAudit: (given) => {
        auditSeal = given;
      },
      auditSeal: seals.audit,
      sealRows: (given) => {
        rowMac = given;
      },
      rowMac: seals.rowMac,
      auditMemory: writer.auditMemory,
      acceptMissing: writer.acceptMissing,
      chainOlderRows: () => chainOlderRows(writer, read),
      proveOlderRows: (level) => proveOlderRows(writer, level),
      check: async () => {
        try {
          await reader.database.run(sql`SELECT count(*) FROM organizations`);
        } catch (error) {
          throw toStoreError(error);
        }
      },
      findShapeDifference: async () => {
        try {
          return reader.findShapeDifference();
        } catch (error) {
          throw toStoreError(error);
        }
      },
      eraseDeleted: writer.eraseDeleted,
      copyTo: (path) => copyStore(options.path, path),
      checkIntegrity: () => checkIntegrity(options.path),
      close: async () => {
        await writer.close();
        reader.close();
      },
    };
  } catch (error) {
    reader.close();
    throw toStoreError(error);
  }
}

/** Brings a store's file up to date, and tells what it should be built of then. @throws StoreError */
async function prepareStore(path: string, migrationsFolder: string): Promise<StoreShape> {
  let connection: Connection | undefined;
  try {
    connection = openConnection(path, { lockWaitMs: 50 });
    await connection.run`PRAGMA journal_mode = WAL`;
    await applyMigrations(connection.database, migrationsFolder);
    return await readStoreShape(migrationsFolder);
  } catch (error) {
    throw toStoreError(error);
  } finally {
    connection?.close();
  }
}

async function applyMigrations(database: Database, migrationsFolder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await migrate(database, { migrationsFolder });
    } catch (error) {
      // Another broker on the same store migrates at this moment; its result is ours too.
      const failure = toStoreError(error);
      if (attempt === 20 || !(failure instanceof StoreError) || failure.code !== "busy") throw failure;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const chainedAtOnceMax = 500;

/** What one start leaves, the next goes on with. */
async function chainOlderRows(writer: GroupWriter, reader: Tables): Promise<void> {
  const last = await reader.auditEvents.findLast();
  let isLeft = last?.hash === null;
  while (isLeft) isLeft = await writer.write([], (tables) => tables.auditEvents.chainSome(chainedAtOnceMax));
}

async function proveOlderRows(writer: GroupWriter, level: number): Promise<void> {
  let place: UpgradePlace | undefined;
  do {
    const from = place;
    place = await writer.write([], ({ olderRows }) => olderRows.prove(level, from));
  } while (place !== undefined);
}

async function preparePrivateFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a", 0o600);
    await file.close();
    await chmod(path, 0o600);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new StoreError("unavailable", `the store's file cannot be written (${code}): ${path}`, code);
  }
}
