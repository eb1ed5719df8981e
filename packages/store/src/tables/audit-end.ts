import { and, asc, desc, eq, gt, sql } from "drizzle-orm";
import { type ChainEnd, chainStart } from "../audit-chain.ts";
import { type FindAuditSeal, isGenuine } from "../audit-seal.ts";
import type { Database } from "../database.ts";
import { StoreError } from "../errors.ts";
import type { AuditEventRow } from "./audit-events.ts";
import { asHash, isInChain, readRow, rowColumns } from "./audit-rows.ts";
import { cut } from "./cut.ts";
import { auditEvents, auditHeads } from "./schema.ts";

const searchedMax = 5_000;
const pageRows = 500;
/** So many free numbers behind a row are room enough: what stands further off is met later. */
const roomRows = 1_048_576;
const missingRowsMax = 100;

/** Rows that a process wrote and that were gone when the next one was added: the first of them, and how many. */
export type MissingRows = { readonly rows: readonly ChainEnd[]; readonly count: number };

/** What a process knows of the audit's end without asking the file. */
export type AuditMemory = {
  /** The last row that it wrote and that is on disk, while it is not missing. */
  last: ChainEnd | undefined;
  /** Until that is accepted. */
  missing: MissingRows;
  /** The last row that it found behind the end and that no broker wrote. */
  foreign: number | undefined;
};

/** The last row that a broker wrote, and the number after which numbers are free. */
export type FoundEnd = { readonly end: ChainEnd; readonly after: number };

/**
 * Finds what the next row is chained to. Whoever writes to the file can put rows behind the end; the broker's own are
 * chained past them, to the last that a broker wrote, and get numbers that are free.
 */
export function createEndFinder(database: Database, findSeal: FindAuditSeal) {
  const selectLast = database
    .select({ sequence: auditEvents.sequence, hash: cut<unknown>(auditEvents.hash, 64) })
    .from(auditEvents)
    .where(isInChain)
    .orderBy(desc(auditEvents.sequence))
    .limit(1)
    .prepare();
  const selectOne = database
    .select(rowColumns)
    .from(auditEvents)
    .where(eq(auditEvents.sequence, sql.placeholder("sequence")))
    .prepare();
  const find = async (sequence: number): Promise<AuditEventRow | undefined> => {
    const row = await selectOne.get({ sequence });
    return row === undefined ? undefined : readRow(row);
  };
  const findLast = async (): Promise<{ sequence: number; hash: string | null } | undefined> => {
    const last = await selectLast.get();
    return last === undefined ? undefined : { sequence: last.sequence, hash: asHash(last.hash) };
  };
  const asGenuine = (row: AuditEventRow | undefined): ChainEnd | undefined =>
    row !== undefined && isGenuine(row, findSeal()) ? { sequence: row.sequence, hash: row.hash } : undefined;

  /** The end as this process last left it, and what other brokers have chained to it since. */
  const goOnFrom = async (known: ChainEnd): Promise<ChainEnd | undefined> => {
    let end = asGenuine(await find(known.sequence));
    if (end?.hash !== known.hash) return undefined;
    for (let searched = 0; searched < searchedMax; searched++) {
      const next = await find(end.sequence + 1);
      const genuine = asGenuine(next);
      if (genuine === undefined || next?.previousHash !== end.hash) break;
      end = genuine;
    }
    return end;
  };
  const searchBack = async (): Promise<ChainEnd | undefined> => {
    let before = Number.MAX_SAFE_INTEGER;
    for (let searched = 0; searched < searchedMax; searched += pageRows) {
      const rows = await database
        .select(rowColumns)
        .from(auditEvents)
        .where(and(isInChain, sql`${auditEvents.sequence} <= ${before}`))
        .orderBy(desc(auditEvents.sequence))
        .limit(pageRows);
      for (const row of rows) {
        const genuine = asGenuine(readRow(row));
        if (genuine !== undefined) return genuine;
        before = row.sequence - 1;
      }
      if (rows.length < pageRows) break;
    }
    return undefined;
  };
  const newestHead = async (): Promise<ChainEnd | undefined> => {
    const head = await database
      .select({ sequence: auditHeads.sequence })
      .from(auditHeads)
      .orderBy(desc(auditHeads.sequence))
      .limit(1)
      .get();
    return head === undefined ? undefined : asGenuine(await find(head.sequence));
  };

  /** The number after which numbers are free. */
  const freeAfter = async (sequence: number): Promise<number> => {
    const next = await database
      .select({ sequence: auditEvents.sequence })
      .from(auditEvents)
      .where(and(isInChain, gt(auditEvents.sequence, sequence)))
      .orderBy(asc(auditEvents.sequence))
      .limit(1)
      .get();
    if (next === undefined || next.sequence > sequence + roomRows) return sequence;
    const [crowd] = await database.values<[number]>(sql`SELECT a.sequence FROM audit_events a
      WHERE a.sequence > ${sequence} AND a.sequence <= ${Number.MAX_SAFE_INTEGER - roomRows} AND NOT EXISTS (
        SELECT 1 FROM audit_events b WHERE b.sequence > a.sequence AND b.sequence <= a.sequence + ${roomRows})
      ORDER BY a.sequence LIMIT 1`);
    if (crowd === undefined) throw new StoreError("altered", "the audit has no number left");
    return crowd[0];
  };

  return {
    find,
    findLast,
    /** Notes in the memory what the file shows to be gone, or not to be a broker's. */
    findEnd: async (memory: AuditMemory): Promise<FoundEnd> => {
      const last = await findLast();
      const known = memory.last;
      if (known !== undefined) {
        if (last?.sequence === known.sequence && last.hash === known.hash) return foundAt(known);
        // What is written next takes its place in the memory, and may take its number.
        if ((await find(known.sequence))?.hash !== known.hash) noteMissing(memory, known);
      }
      if (last === undefined) return foundAt(chainStart);
      const genuine = asGenuine(await find(last.sequence));
      if (genuine !== undefined && genuine.sequence <= Number.MAX_SAFE_INTEGER - roomRows)
        return foundAt(genuine);
      memory.foreign = last.sequence;
      const end =
        (known && (await goOnFrom(known))) ?? (await searchBack()) ?? (await newestHead()) ?? chainStart;
      return { end, after: await freeAfter(end.sequence) };
    },
  };
}

function noteMissing(memory: AuditMemory, row: ChainEnd): void {
  if (memory.last !== row) return;
  const { rows, count } = memory.missing;
  memory.missing = { rows: [...rows, row].slice(0, missingRowsMax), count: count + 1 };
  memory.last = undefined;
}

const foundAt = (end: ChainEnd): FoundEnd => ({ end, after: end.sequence });
