import { and, eq, inArray } from "drizzle-orm";
import type { Database } from "../database.ts";
import { writtenObjects } from "./schema.ts";

export type WrittenObjectRow = typeof writtenObjects.$inferSelect;

export function writtenObjectsTable(database: Database) {
  return {
    find: (userKeyId: string, nameHash: string): Promise<WrittenObjectRow | undefined> =>
      database
        .select()
        .from(writtenObjects)
        .where(and(eq(writtenObjects.userKeyId, userKeyId), eq(writtenObjects.nameHash, nameHash)))
        .get(),
    keep: async (row: WrittenObjectRow): Promise<void> => {
      await database
        .insert(writtenObjects)
        .values(row)
        .onConflictDoUpdate({
          target: [writtenObjects.userKeyId, writtenObjects.nameHash],
          set: { sha256: row.sha256 },
        });
    },
    /** Whatever was written with these keys is their owner's from now on. */
    forget: async (userKeyIds: readonly string[]): Promise<void> => {
      await database.delete(writtenObjects).where(inArray(writtenObjects.userKeyId, [...userKeyIds]));
    },
  };
}
