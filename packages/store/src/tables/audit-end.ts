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
/** This many free numbers after a row are enough; rows further away are dealt with once they are reached. */
const roomRows = 1_048_576;
const missingRowsMax = 100;

/** Rows that this process wrote and that were gone when it added the next one: the first of them, and how many. */
export type MissingRows = { readonly rows: readonly ChainEnd[]; readonly count: number };

/** What this process knows about the audit's end without reading the file. */
export type AuditMemory = {
  /** The last row that this process wrote to disk; `undefined` if there is none or it was found missing. */
  last: ChainEnd | undefined;
  /** Kept until an administrator accepts the loss. */
  missing: MissingRows;
  /** The number of the last row that it found after the end and that no broker wrote. */
  foreign: number | undefined;
};

/** The last row that a broker wrote, and the number after which numbers are free. */
export type FoundEnd = { readonly end: ChainEnd; readonly after: number };

/**
 * Finds what the next row is chained to. Anyone who can write to the file can add rows after the end. The broker chains
 * its own rows to the last row that a broker wrote, and gives them numbers that are free.
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

  /** The end that this process last left, or the last row that other brokers have chained to it since. */
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
    /** Notes in the memory if a row of this process is gone, and if a row after the end is not a broker's. */
    findEnd: async (memory: AuditMemory): Promise<FoundEnd> => {
      const last = await findLast();
      const known = memory.last;
      if (known !== undefined) {
        if (last?.sequence === known.sequence && last.hash === known.hash) return foundAt(known);
        // Note it now: the next row takes its place in the memory, and may get its number.
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
