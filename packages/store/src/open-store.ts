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
  /** Queries on committed data. */
  readonly read: Tables;
  readonly write: GroupWriter["write"];
  readonly appendAudit: GroupWriter["appendAudit"];
  /** From now on rows of the audit get a MAC, and rows that should have one but do not cannot be the chain's end. */
  readonly sealAudit: (seal: AuditSeal) => void;
  readonly auditSeal: () => AuditSeal | undefined;
  readonly auditMemory: GroupWriter["auditMemory"];
  readonly acceptMissing: GroupWriter["acceptMissing"];
  /** From now on rows that decide something get a MAC, and those without the right one are not trusted. */
  readonly sealRows: (rowMac: RowMac) => void;
  readonly rowMac: () => RowMac | undefined;
  /**
   * Adds MACs to the older rows of a store of this level. Call it only before it is sealed that the store has the
   * newest level: anyone who can write to the store can add rows without a MAC at any time.
   */
  readonly proveOlderRows: (level: number) => Promise<void>;
  /**
   * Chains rows from before the chain existed. Call it only before the store promises anything about its audit: anyone
   * who can write to the store can add such rows at any time.
   */
  readonly chainOlderRows: () => Promise<void>;
  /** Resolves if the store can be read; the caller's audit row proves that it can be written. */
  readonly check: () => Promise<void>;
  /**
   * What in the file differs from what the migrations create, by its name: a trigger, view, table or index that was
   * added or changed or is missing; `undefined` if nothing differs.
   */
  readonly findShapeDifference: () => Promise<string | undefined>;
  /** Copies the log into the file and empties it, so that nothing deleted is left in either. */
  readonly eraseDeleted: () => Promise<void>;
  /**
   * Writes a complete and consistent copy, as of one moment, while others read and write.
   * @param path a file that does not exist yet, in a folder that only the owner may read
   */
  readonly copyTo: (path: string) => Promise<void>;
  /** Reads the whole file, on another thread. @throws StoreError if it is damaged */
  readonly checkIntegrity: () => Promise<void>;
  /** Waits for queued writes and closes the file. */
  readonly close: () => Promise<void>;
};

/**
 * Opens the embedded store, a libSQL file in WAL mode with full synchronisation: acknowledged writes survive a crash
 * of the process and of the machine. Creates missing folders and the file, which only their owner can read, and
 * applies the migrations.
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

/** Migrates a store's file and returns the shape that it should have then. @throws StoreError */
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
      // Another broker may be migrating the same store: then wait until it is done.
      const failure = toStoreError(error);
      if (attempt === 20 || !(failure instanceof StoreError) || failure.code !== "busy") throw failure;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

const chainedAtOnceMax = 500;

/** If this is interrupted, the next start continues with the rows that are left. */
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
