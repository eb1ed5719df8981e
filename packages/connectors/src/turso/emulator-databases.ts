import { randomUUID } from "node:crypto";
import {
  createNamespaceKey,
  createNamespaceTokenSigner,
  type LibsqlServer,
  type NamespaceSettings,
  type NamespaceStats,
  type OpenDatabase,
  type SignNamespaceToken,
} from "@keyloan/local-servers";
import * as z from "zod";
import type { Journal } from "../kit/emulator-journal.ts";
import { createUsageMeter } from "./emulator-usage.ts";

export const emulatedDatabaseSchema = z.object({
  id: z.string(),
  group: z.string(),
  /** The real database behind it; random, because a name that comes back would revive old tokens. */
  namespace: z.string(),
  port: z.int(),
  publicKey: z.string(),
  privateKey: z.string(),
  deleteProtection: z.boolean(),
  /** How much had been read and written when it was last used before some moments, in order. */
  uses: z.array(z.object({ at: z.number(), rowsRead: z.number(), rowsWritten: z.number() })).default([]),
});
export type EmulatedDatabase = z.output<typeof emulatedDatabaseSchema>;

export type DatabaseSettings = Pick<NamespaceSettings, "blockReads" | "blockWrites" | "maxDatabaseSize">;

/** The databases of the stand-in: each a real namespace with a key and a port of its own. */
export type EmulatedDatabases = {
  /** Waits for a making or removing of this name that is under way. */
  readonly find: (name: string) => Promise<EmulatedDatabase | undefined>;
  /** Writes down what was changed on a database. */
  readonly save: (name: string) => Promise<void>;
  readonly list: () => readonly (readonly [name: string, database: EmulatedDatabase])[];
  /** `false` when the name is taken, be it a moment ago. Answers when the database serves. */
  readonly create: (name: string, group: string, maxDatabaseSize?: string) => Promise<boolean>;
  /** `false` when there is none. Ends the namespace, its port and every open connection. */
  readonly remove: (name: string) => Promise<boolean>;
  readonly mint: (
    database: EmulatedDatabase,
    access: "read-write" | "read-only",
    expiresAt?: number,
  ) => Promise<string>;
  /** Ends every token and every open connection; the server alone would leave WebSockets open. */
  readonly rotate: (name: string, database: EmulatedDatabase) => Promise<void>;
  readonly settings: (database: EmulatedDatabase) => Promise<DatabaseSettings>;
  readonly configure: (database: EmulatedDatabase, changes: Partial<DatabaseSettings>) => Promise<void>;
  /** What was read and written between two moments, and what is stored now. */
  readonly usage: (
    name: string,
    database: EmulatedDatabase,
    from: number,
    to: number,
  ) => Promise<NamespaceStats>;
};

type Shelf = {
  readonly server: LibsqlServer;
  readonly journal: Journal<EmulatedDatabase>;
  /** Open ports by namespace. */
  readonly ports: Map<string, OpenDatabase>;
  /** What is being made or removed, by name. */
  readonly changing: Map<string, Promise<unknown>>;
  readonly meter: ReturnType<typeof createUsageMeter>;
};

/** Opens the databases of an earlier time on their ports, and fixes what a kill left half done. */
export async function openEmulatedDatabases(
  server: LibsqlServer,
  journal: Journal<EmulatedDatabase>,
  now: () => number,
): Promise<EmulatedDatabases> {
  const meter = createUsageMeter(server, journal.write, now);
  const shelf: Shelf = { server, journal, ports: new Map(), changing: new Map(), meter };
  const databases = journal.records;
  await reopenAll(shelf);
  return {
    find: async (name) => {
      await shelf.changing.get(name)?.catch(() => undefined);
      return databases.get(name);
    },
    save: journal.write,
    list: () => [...databases].filter(([name]) => !shelf.changing.has(name)),
    create: async (name, group, maxDatabaseSize) => {
      if (databases.has(name)) return false;
      const database = newDatabase(group);
      databases.set(name, database);
      await inTurn(shelf, name, () => make(shelf, name, database, maxDatabaseSize));
      return true;
    },
    remove: (name) => inTurn(shelf, name, () => unmake(shelf, name)),
    mint: createMint(),
    rotate: async (name, database) => {
      Object.assign(database, createNamespaceKey());
      await journal.write(name);
      await server.admin.configure(database.namespace, { jwtKey: database.publicKey });
      shelf.ports.get(database.namespace)?.cutConnections();
    },
    settings: (database) => server.admin.settings(database.namespace),
    configure: (database, changes) => server.admin.configure(database.namespace, changes),
    usage: meter.usage,
  };
}

function newDatabase(group: string): EmulatedDatabase {
  return {
    id: randomUUID(),
    group,
    namespace: `ns-${randomUUID()}`,
    port: 0,
    deleteProtection: false,
    uses: [],
    ...createNamespaceKey(),
  };
}

async function make(shelf: Shelf, name: string, database: EmulatedDatabase, maxDatabaseSize?: string) {
  const { server, journal, ports, meter } = shelf;
  const { namespace, publicKey: jwtKey } = database;
  try {
    const opened = await server.gateway.open({ namespace, onUse: () => meter.note(name) });
    ports.set(namespace, opened);
    database.port = opened.port;
    // Written before the namespace exists: whatever instant a kill comes at, no namespace is unknown.
    await journal.write(name);
    await server.admin.create(namespace, {
      jwtKey,
      ...(maxDatabaseSize === undefined ? {} : { maxDatabaseSize }),
    });
  } catch (error) {
    await closePort(shelf, database);
    journal.records.delete(name);
    await journal.write(name);
    throw error;
  }
}

async function unmake(shelf: Shelf, name: string): Promise<boolean> {
  const database = shelf.journal.records.get(name);
  if (database === undefined) return false;
  await closePort(shelf, database);
  await shelf.server.admin.delete(database.namespace);
  shelf.journal.records.delete(name);
  await shelf.journal.write(name);
  return true;
}

async function closePort(shelf: Shelf, database: EmulatedDatabase): Promise<void> {
  await shelf.ports.get(database.namespace)?.close();
  shelf.ports.delete(database.namespace);
}

/** Making and removing one name take turns; other names go on meanwhile. */
async function inTurn<T>(shelf: Shelf, name: string, work: () => Promise<T>): Promise<T> {
  const turn = (shelf.changing.get(name) ?? Promise.resolve()).catch(() => undefined).then(work);
  shelf.changing.set(name, turn);
  return turn.finally(() => {
    if (shelf.changing.get(name) === turn) shelf.changing.delete(name);
  });
}

/** Importing a key costs more than signing with it, so each database's is imported once. */
function createMint(): EmulatedDatabases["mint"] {
  const signers = new WeakMap<
    EmulatedDatabase,
    { readonly key: string; readonly sign: SignNamespaceToken }
  >();
  const signerOf = (database: EmulatedDatabase): SignNamespaceToken => {
    const known = signers.get(database);
    if (known?.key === database.privateKey) return known.sign;
    const sign = createNamespaceTokenSigner(database);
    signers.set(database, { key: database.privateKey, sign });
    return sign;
  };
  return (database, access, expiresAt) =>
    signerOf(database)({
      namespace: database.namespace,
      access,
      tokenId: randomUUID(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    });
}

async function reopenAll({ journal, server, ports, meter }: Shelf): Promise<void> {
  const waiting = [...journal.records];
  const worker = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [name, database] = next;
      const portBefore = database.port;
      const opened = await reopen(server, database, () => meter.note(name));
      if (opened === undefined) journal.records.delete(name);
      else ports.set(database.namespace, opened);
      if (opened?.port !== portBefore) await journal.write(name);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** `undefined` when the namespace was never made, or is gone. */
async function reopen(
  server: LibsqlServer,
  database: EmulatedDatabase,
  onUse: () => void,
): Promise<OpenDatabase | undefined> {
  const { namespace, publicKey: jwtKey } = database;
  if (!(await server.admin.exists(namespace))) return undefined;
  const settings = await server.admin.settings(namespace);
  // A kill between writing a new key and giving it to the server.
  if (settings.jwtKey !== jwtKey) await server.admin.configure(namespace, { jwtKey });
  const opened = await server.gateway
    .open({ namespace, port: database.port, onUse })
    // Someone else has the port now: the database moves, and its host name tells the new one.
    .catch(() => server.gateway.open({ namespace, onUse }));
  database.port = opened.port;
  return opened;
}
