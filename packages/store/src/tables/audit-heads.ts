import { and, asc, count, desc, gt, gte, lt, lte, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { requireWritten } from "../errors.ts";
import { cut, cutText } from "./cut.ts";
import { auditHeads } from "./schema.ts";

export type AuditHeadRow = typeof auditHeads.$inferSelect;

// A head is far shorter. A longer value, which somebody else wrote, is cut, so nothing proves it.
const columns = {
  sequence: auditHeads.sequence,
  hash: cutText(auditHeads.hash, 64),
  at: sql<number>`${cut(auditHeads.at, 64)}`,
  signed: cutText(auditHeads.signed, 4096),
};
const isInChain = and(gte(auditHeads.sequence, 1), lte(auditHeads.sequence, Number.MAX_SAFE_INTEGER));

export function auditHeadsTable(database: Database) {
  return {
    insert: async (row: AuditHeadRow): Promise<void> => {
      requireWritten(await database.insert(auditHeads).values(row));
    },
    /** Heads of the rows after `after`, up to and including `through`, oldest first. */
    listBetween: (after: number, through: number, limit: number): Promise<AuditHeadRow[]> =>
      database
        .select(columns)
        .from(auditHeads)
        .where(and(gt(auditHeads.sequence, after), lte(auditHeads.sequence, through)))
        .orderBy(asc(auditHeads.sequence))
        .limit(limit),
    /** Heads of the rows before `sequence`, newest first. */
    listBefore: (sequence: number, limit: number): Promise<AuditHeadRow[]> =>
      database
        .select(columns)
        .from(auditHeads)
        .where(and(isInChain, lt(auditHeads.sequence, sequence)))
        .orderBy(desc(auditHeads.sequence))
        .limit(limit),
    countAfter: async (sequence: number): Promise<number> => {
      const row = await database
        .select({ count: count() })
        .from(auditHeads)
        .where(gt(auditHeads.sequence, sequence))
        .get();
      return row?.count ?? 0;
    },
    /** Removes the heads of rows after `last`, which no longer exist, and of rows before the first possible one. */
    removeOutside: async (last: number): Promise<void> => {
      await database.delete(auditHeads).where(or(gt(auditHeads.sequence, last), lt(auditHeads.sequence, 1)));
    },
    findLatest: (): Promise<AuditHeadRow | undefined> =>
      database
        .select(columns)
        .from(auditHeads)
        .where(isInChain)
        .orderBy(desc(auditHeads.sequence))
        .limit(1)
        .get(),
  };
}
