import { and, asc, desc, gt, lte } from "drizzle-orm";
import type { Database } from "../database.ts";
import { auditHeads } from "./schema.ts";

export type AuditHeadRow = typeof auditHeads.$inferSelect;

export function auditHeadsTable(database: Database) {
  return {
    insert: async (row: AuditHeadRow): Promise<void> => {
      await database.insert(auditHeads).values(row).onConflictDoNothing();
    },
    /** Heads of rows after one and up to another, oldest first. */
    listBetween: (after: number, through: number, limit: number): Promise<AuditHeadRow[]> =>
      database
        .select()
        .from(auditHeads)
        .where(and(gt(auditHeads.sequence, after), lte(auditHeads.sequence, through)))
        .orderBy(asc(auditHeads.sequence))
        .limit(limit),
    findLatest: (): Promise<AuditHeadRow | undefined> =>
      database.select().from(auditHeads).orderBy(desc(auditHeads.sequence)).limit(1).get(),
  };
}
