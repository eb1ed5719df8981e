import { and, eq, lt } from "drizzle-orm";
import type { Database } from "../database.ts";
import { idempotencyKeys } from "./schema.ts";

export type IdempotencyKeyRow = typeof idempotencyKeys.$inferSelect;

export function idempotencyKeysTable(database: Database) {
  return {
    find: (principal: string, key: string): Promise<IdempotencyKeyRow | undefined> =>
      database
        .select()
        .from(idempotencyKeys)
        .where(and(eq(idempotencyKeys.principal, principal), eq(idempotencyKeys.key, key)))
        .get(),
    insert: async (row: IdempotencyKeyRow): Promise<void> => {
      await database.insert(idempotencyKeys).values(row);
    },
    deleteOlderThan: async (before: number): Promise<number> => {
      const result = await database.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, before));
      return result.rowsAffected;
    },
  };
}
