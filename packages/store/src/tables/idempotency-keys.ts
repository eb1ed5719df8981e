import { and, eq, lt } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { idempotencyKeys } from "./schema.ts";

export type IdempotencyKeyRow = Omit<typeof idempotencyKeys.$inferSelect, "mac">;

export function idempotencyKeysTable(database: Database, seals: Seals) {
  const { seal, open } = createRowSeal(seals, provenTables.idempotencyKeys);
  const isKey = (principal: string, key: string) =>
    and(eq(idempotencyKeys.principal, principal), eq(idempotencyKeys.key, key));
  return {
    find: async (principal: string, key: string): Promise<IdempotencyKeyRow | undefined> =>
      open(await database.select().from(idempotencyKeys).where(isKey(principal, key)).get()),
    insert: async (row: IdempotencyKeyRow): Promise<void> => {
      // If there is a row that `find` did not return, the broker did not write it.
      await database.delete(idempotencyKeys).where(isKey(row.principal, row.key));
      await database.insert(idempotencyKeys).values(seal(row));
    },
    deleteOlderThan: async (before: number): Promise<number> => {
      const result = await database.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, before));
      return result.rowsAffected;
    },
  };
}
