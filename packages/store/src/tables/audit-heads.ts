import { and, asc, count, desc, gt, lt, lte } from "drizzle-orm";
import type { Database } from "../database.ts";
import { requireWritten } from "../errors.ts";
import { auditHeads } from "./schema.ts";

export type AuditHeadRow = typeof auditHeads.$inferSelect;

export function auditHeadsTable(database: Database) {
  return {
    insert: async (row: AuditHeadRow): Promise<void> => {
      requireWritten(await database.insert(auditHeads).values(row));
    },
    /** Heads of rows after one and up to another, oldest first. */
    listBetween: (after: number, through: number, limit: number): Promise<AuditHeadRow[]> =>
      database
        .select()
        .from(auditHeads)
        .where(and(gt(auditHeads.sequence, after), lte(auditHeads.sequence, through)))
        .orderBy(asc(auditHeads.sequence))
        .limit(limit),
    /** Heads of rows before one, newest first. */
    listBefore: (sequence: number, limit: number): Promise<AuditHeadRow[]> =>
      database
        .select()
        .from(auditHeads)
        .where(lt(auditHeads.sequence, sequence))
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
    /** Takes away the heads of rows that do not stand any more. */
    removeAfter: async (sequence: number): Promise<void> => {
      await database.delete(auditHeads).where(gt(auditHeads.sequence, sequence));
    },
    findLatest: (): Promise<AuditHeadRow | undefined> =>
      database.select().from(auditHeads).orderBy(desc(auditHeads.sequence)).limit(1).get(),
  };
}
