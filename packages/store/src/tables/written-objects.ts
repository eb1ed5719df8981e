import { and, eq, inArray } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { writtenObjects } from "./schema.ts";

export type WrittenObjectRow = Omit<typeof writtenObjects.$inferSelect, "mac">;

export function writtenObjectsTable(database: Database, seals: Seals) {
  const { seal, open } = createRowSeal(seals, provenTables.writtenObjects);
  return {
    find: async (userKeyId: string, nameHash: string): Promise<WrittenObjectRow | undefined> =>
      open(
        await database
          .select()
          .from(writtenObjects)
          .where(and(eq(writtenObjects.userKeyId, userKeyId), eq(writtenObjects.nameHash, nameHash)))
          .get(),
      ),
    keep: async (row: WrittenObjectRow): Promise<void> => {
      const sealed = seal(row);
      const { sha256, buildId, mac } = sealed;
      await database
        .insert(writtenObjects)
        .values(sealed)
        .onConflictDoUpdate({
          target: [writtenObjects.userKeyId, writtenObjects.nameHash],
          set: { sha256, buildId, mac },
        });
    },
    /** Forgets what was written with these keys: it belongs to their owner from now on. */
    forget: async (userKeyIds: readonly string[]): Promise<void> => {
      await database.delete(writtenObjects).where(inArray(writtenObjects.userKeyId, [...userKeyIds]));
    },
  };
}
