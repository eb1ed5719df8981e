import { and, asc, count, desc, eq, gt, gte, inArray, isNotNull, lt, sql } from "drizzle-orm";
import { type ChainEnd, chainRows, chainStart, hashRow } from "../audit-chain.ts";
import type { Database } from "../database.ts";
import { notKept, requireWritten } from "../errors.ts";
import { createSerial } from "../serial.ts";
import { auditEvents } from "./schema.ts";

export type AuditEventRow = typeof auditEvents.$inferSelect;
export type NewAuditEvent = Omit<AuditEventRow, "sequence" | "previousHash" | "hash">;

/** A row as it was handed to the engine in this transaction. */
export type WrittenRow = ChainEnd & Pick<NewAuditEvent, "requestId">;

const isInChain = gte(auditEvents.sequence, 1);
const isStray = lt(auditEvents.sequence, 1);
const rowsMax = 64;
const pageRows = 500;
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
] as const;

// Made once: every env read writes a row.
const placeholderNames = Array.from({ length: rowsMax }, (_, row) => columns.map((column) => column + row));

export function auditEventsTable(database: Database) {
  // One prepared statement per row count: building a statement costs more than running it.
  const inserts = new Map<number, ReturnType<typeof prepareInsert>>();
  const prepareInsert = (rowCount: number) =>
    database
      .insert(auditEvents)
      .values(
        Array.from({ length: rowCount }, (_, row) => ({
          sequence: sql.placeholder(`sequence${row}`),
          id: sql.placeholder(`id${row}`),
          at: sql.placeholder(`at${row}`),
          actor: sql.placeholder(`actor${row}`),
          action: sql.placeholder(`action${row}`),
          entity: sql.placeholder(`entity${row}`),
          details: sql.placeholder(`details${row}`),
          requestId: sql.placeholder(`requestId${row}`),
          previousHash: sql.placeholder(`previousHash${row}`),
          hash: sql.placeholder(`hash${row}`),
        })),
      )
      .prepare();
  const selectLast = database
    .select({ sequence: auditEvents.sequence, hash: auditEvents.hash })
    .from(auditEvents)
    .where(isInChain)
    .orderBy(desc(auditEvents.sequence))
    .limit(1)
    .prepare();
  const setHash = database
    .update(auditEvents)
    .set({ previousHash: sql`${sql.placeholder("previousHash")}`, hash: sql`${sql.placeholder("hash")}` })
    .where(eq(auditEvents.sequence, sql.placeholder("sequence")))
    .prepare();

  /** The end of the chain as this transaction left it; `undefined` when it has to be read. */
  let end: ChainEnd | undefined;
  const inTurn = createSerial();
  let written: WrittenRow[] = [];

  const findEnd = async (): Promise<ChainEnd> => {
    const last = await selectLast.get();
    if (last === undefined) return chainStart;
    if (last.hash !== null) return { sequence: last.sequence, hash: last.hash };
    // A broker older than the chain writes to this store too.
    return chainOlder(Number.POSITIVE_INFINITY);
  };
  const insertSome = async (rows: readonly NewAuditEvent[]): Promise<void> => {
    const statement = inserts.get(rows.length) ?? prepareInsert(rows.length);
    inserts.set(rows.length, statement);
    const chained = chainRows(end ?? (await findEnd()), rows);
    const values: Record<string, unknown> = {};
    for (const [index, row] of chained.entries()) {
      const names = placeholderNames[index] ?? [];
      columns.forEach((column, at) => {
        values[names[at] ?? ""] = row[column];
      });
    }
    requireWritten(await statement.run(values), rows.length);
    end = chained.at(-1);
    written.push(...chained);
  };

  /** How far older rows were chained by this handle; a rollback may have undone it. */
  let chainedTo: ChainEnd | undefined;
  const findChainedTo = async (): Promise<ChainEnd> => {
    if (chainedTo !== undefined && (await find(chainedTo.sequence))?.hash === chainedTo.hash)
      return chainedTo;
    const row = await database
      .select({ sequence: auditEvents.sequence, hash: auditEvents.hash })
      .from(auditEvents)
      .where(and(isInChain, isNotNull(auditEvents.hash)))
      .orderBy(desc(auditEvents.sequence))
      .limit(1)
      .get();
    return row === undefined || row.hash === null ? chainStart : { sequence: row.sequence, hash: row.hash };
  };
  const chainOlder = async (rowsAtOnceMax: number): Promise<ChainEnd> => {
    let last = await findChainedTo();
    for (let left = rowsAtOnceMax; left > 0; left -= pageRows) {
      const rows = await pageAfter(last.sequence, Math.min(left, pageRows));
      for (const row of rows) {
        const hash = hashRow({ ...row, previousHash: last.hash });
        await setHash.run({ sequence: row.sequence, previousHash: last.hash, hash });
        last = { sequence: row.sequence, hash };
      }
      if (rows.length < pageRows) break;
    }
    chainedTo = last;
    return last;
  };
  const find = (sequence: number): Promise<AuditEventRow | undefined> =>
    database.select().from(auditEvents).where(eq(auditEvents.sequence, sequence)).get();
  const pageAfter = (sequence: number, limit: number): Promise<AuditEventRow[]> =>
    database
      .select()
      .from(auditEvents)
      .where(gt(auditEvents.sequence, sequence))
      .orderBy(asc(auditEvents.sequence))
      .limit(limit);

  return {
    /** Adds rows to the end of the chain, in this order. Only inside a write. */
    insertAll: (rows: readonly NewAuditEvent[]): Promise<void> =>
      inTurn(async () => {
        for (let start = 0; start < rows.length; start += rowsMax)
          await insertSome(rows.slice(start, start + rowsMax));
      }),
    /** What is known of the chain's end holds no longer: another transaction, or this one was rolled back. */
    forgetEnd: (): void => {
      end = undefined;
    },
    /** The rows that were added since this was last asked. */
    takeWritten: (): readonly WrittenRow[] => {
      const taken = written;
      written = [];
      return taken;
    },
    /** @throws StoreError `altered` when one of the rows does not stand as it was written */
    requireStanding: async (rows: readonly WrittenRow[]): Promise<void> => {
      for (const row of rows) {
        const stored = await find(row.sequence);
        if (stored === undefined || stored.previousHash === null) throw notKept();
        if (hashRow({ ...stored, previousHash: stored.previousHash }) !== row.hash) throw notKept();
      }
    },
    /** Whether rows stand before the first, where the chain has none: no list shows them. */
    hasStray: async (): Promise<boolean> => {
      const stray = await database
        .select({ sequence: auditEvents.sequence })
        .from(auditEvents)
        .where(isStray)
        .limit(1)
        .get();
      return stray !== undefined;
    },
    removeStray: async (): Promise<void> => {
      await database.delete(auditEvents).where(isStray);
    },
    /** The last row's place and hash; `hash` is null when it is older than the chain. */
    findLast: (): Promise<{ sequence: number; hash: string | null } | undefined> => selectLast.get(),
    find,
    /** Oldest first. */
    pageAfter,
    /** Chains at most so many rows that are older than the chain, and says whether any are left. */
    chainSome: async (limit: number): Promise<boolean> => {
      if ((await selectLast.get())?.hash !== null) return false;
      await chainOlder(limit);
      return (await selectLast.get())?.hash === null;
    },
    /** How often one of the actions happened to an entity since, and the latest of them. */
    findActions: async (filter: {
      readonly entity: string;
      readonly actions: readonly string[];
      readonly since: number;
      readonly actor?: string | undefined;
      readonly limit: number;
    }): Promise<{ readonly count: number; readonly latest: readonly AuditEventRow[] }> => {
      const which = and(
        isInChain,
        eq(auditEvents.entity, filter.entity),
        inArray(auditEvents.action, [...filter.actions]),
        gte(auditEvents.at, filter.since),
        filter.actor === undefined ? undefined : eq(auditEvents.actor, filter.actor),
      );
      const counted = await database.select({ count: count() }).from(auditEvents).where(which).get();
      const latest = await database
        .select()
        .from(auditEvents)
        .where(which)
        .orderBy(desc(auditEvents.sequence))
        .limit(filter.limit);
      return { count: counted?.count ?? 0, latest };
    },
    /** Newest first. */
    list: (filter: {
      before?: number;
      entity?: string;
      actions?: readonly string[];
      limit: number;
    }): Promise<AuditEventRow[]> =>
      database
        .select()
        .from(auditEvents)
        .where(
          and(
            isInChain,
            filter.before === undefined ? undefined : lt(auditEvents.sequence, filter.before),
            filter.entity === undefined ? undefined : eq(auditEvents.entity, filter.entity),
            filter.actions === undefined ? undefined : inArray(auditEvents.action, [...filter.actions]),
          ),
        )
        .orderBy(desc(auditEvents.sequence))
        .limit(filter.limit),
  };
}
