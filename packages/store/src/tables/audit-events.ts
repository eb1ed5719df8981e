import { inArray, type Placeholder, sql } from "drizzle-orm";
import { type ChainEnd, chainRows } from "../audit-chain.ts";
import { isWhole } from "../audit-seal.ts";
import type { Database } from "../database.ts";
import { notKept, requireWritten } from "../errors.ts";
import type { Seals } from "../row-seal.ts";
import { createSerial } from "../serial.ts";
import { type AuditMemory, createEndFinder, type MissingRows } from "./audit-end.ts";
import { createOlderChainer } from "./audit-older.ts";
import { auditReads } from "./audit-reads.ts";
import { isStray } from "./audit-rows.ts";
import { auditEvents } from "./schema.ts";

export type AuditEventRow = typeof auditEvents.$inferSelect;
export type NewAuditEvent = Omit<AuditEventRow, "sequence" | "previousHash" | "hash" | "mac">;

/** A row as it was handed to the engine in this transaction. */
export type WrittenRow = ChainEnd & Pick<NewAuditEvent, "requestId">;

const rowsMax = 64;
const columns = [
  "sequence",
  "id",
  "at",
  "actor",
  "action",
  "entity",
  "details",
  "requestId",
  "previousHash",
  "hash",
  "mac",
] as const;

// Made once, because every read of an env writes a row.
const placeholderNames = Array.from({ length: rowsMax }, (_, row) => columns.map((column) => column + row));

/** The cast holds because all columns are in the list. */
const placeholdersOf = (row: number) =>
  Object.fromEntries(columns.map((column) => [column, sql.placeholder(column + row)])) as Record<
    (typeof columns)[number],
    Placeholder
  >;

export function auditEventsTable(database: Database, { audit: findSeal }: Seals) {
  // One prepared statement per row count: building a statement costs more than running it.
  const inserts = new Map<number, ReturnType<typeof prepareInsert>>();
  const prepareInsert = (rowCount: number) =>
    database
      .insert(auditEvents)
      .values(Array.from({ length: rowCount }, (_, row) => placeholdersOf(row)))
      .prepare();
  const { find, findLast, findEnd } = createEndFinder(database, findSeal);
  /** The end of the chain as this transaction left it; `undefined` when it has to be read. */
  let end: ChainEnd | undefined;
  const memory: AuditMemory = { last: undefined, missing: { rows: [], count: 0 }, foreign: undefined };
  const inTurn = createSerial();
  let written: WrittenRow[] = [];

  const findChainEnd = async (): Promise<ChainEnd> => {
    const found = await findEnd(memory);
    return { hash: found.end.hash, sequence: found.after };
  };
  const insertSome = async (rows: readonly NewAuditEvent[]): Promise<void> => {
    const statement = inserts.get(rows.length) ?? prepareInsert(rows.length);
    inserts.set(rows.length, statement);
    const chained = chainRows(end ?? (await findChainEnd()), rows);
    const seal = findSeal();
    const values: Record<string, unknown> = {};
    for (const [index, row] of chained.entries()) {
      const names = placeholderNames[index] ?? [];
      const sealed = { ...row, mac: seal?.macOf(row.hash) ?? null };
      columns.forEach((column, at) => {
        values[names[at] ?? ""] = sealed[column];
      });
    }
    requireWritten(await statement.run(values), rows.length);
    end = chained.at(-1);
    written.push(...chained);
  };

  const reads = auditReads(database);
  const chainSome = createOlderChainer(database, { find, findLast, pageAfter: reads.pageAfter });

  return {
    /** Adds rows to the end of the chain, in this order. Only inside a write. */
    insertAll: (rows: readonly NewAuditEvent[]): Promise<void> =>
      inTurn(async () => {
        for (let start = 0; start < rows.length; start += rowsMax)
          await insertSome(rows.slice(start, start + rowsMax));
      }),
    /** Forgets the chain's end: for the beginning of a transaction, and after a rollback. */
    forgetEnd: (): void => {
      end = undefined;
    },
    /** The last row that a broker wrote, whatever rows follow it. */
    findLastGenuine: async (): Promise<ChainEnd> => (await findEnd(memory)).end,
    /** The rows that this process wrote and that are gone, including its last one. Only inside a write. */
    findMissing: async (): Promise<MissingRows> => {
      await findEnd(memory);
      return memory.missing;
    },
    memory: (): Readonly<AuditMemory> => ({ ...memory }),
    /** Remembers the last of the rows that a transaction added; call it once they are on disk. */
    noteCommitted: (row: ChainEnd | undefined): void => {
      memory.last = row ?? memory.last;
    },
    /** Stops treating rows as missing, once an audit row records that they are. */
    acceptMissing: (told: MissingRows): void => {
      const rows = memory.missing.rows.filter((row) => !told.rows.includes(row));
      memory.missing = { rows, count: memory.missing.count - told.count };
    },
    /** Returns the rows that were added since the last call. */
    takeWritten: (): readonly WrittenRow[] => {
      const taken = written;
      written = [];
      return taken;
    },
    /** @throws StoreError `altered` if one of the rows is not stored as it was written */
    requireStanding: async (rows: readonly WrittenRow[]): Promise<void> => {
      for (const row of rows) {
        const stored = await find(row.sequence);
        if (stored?.hash !== row.hash || !isWhole(stored)) throw notKept();
      }
    },
    removeStray: async (): Promise<void> => {
      await database.delete(auditEvents).where(isStray);
    },
    /** The last row's number and hash; `hash` is null if it has none. */
    findLast,
    find,
    ...reads,
    chainSome,
    /** Removes rows that no broker wrote. @throws StoreError `altered` if another number of rows was removed */
    remove: async (sequences: readonly number[]): Promise<void> => {
      const removed = database.delete(auditEvents).where(inArray(auditEvents.sequence, [...sequences]));
      requireWritten(await removed, sequences.length);
    },
  };
}
