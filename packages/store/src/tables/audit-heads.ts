import { desc } from "drizzle-orm";
import type { Database } from "../database.ts";
import { auditHeads } from "./schema.ts";

export type AuditHeadRow = typeof auditHeads.$inferSelect;

export function auditHeadsTable(database: Database) {
  return {
    insert: async (row: AuditHeadRow): Promise<void> => {
      await database.insert(auditHeads).values(row).onConflictDoNothing();
    },
    findLatest: (): Promise<AuditHeadRow | undefined> =>
      database.select().from(auditHeads).orderBy(desc(auditHeads.sequence)).limit(1).get(),
  };
}
