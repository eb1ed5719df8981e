import { desc, eq, inArray } from "drizzle-orm";
import type { Database } from "../database.ts";
import { requireWritten } from "../errors.ts";
import { signingKeys } from "./schema.ts";

export type SigningKeyRow = typeof signingKeys.$inferSelect;

export function signingKeysTable(database: Database) {
  return {
    insert: async (row: SigningKeyRow): Promise<void> => {
      requireWritten(await database.insert(signingKeys).values(row));
    },
    setMac: async (id: string, mac: string): Promise<void> => {
      requireWritten(await database.update(signingKeys).set({ mac }).where(eq(signingKeys.id, id)));
    },
    remove: async (ids: readonly string[]): Promise<void> => {
      await database.delete(signingKeys).where(inArray(signingKeys.id, [...ids]));
    },
    /** Newest first, authentic or not. */
    list: (organizationId: string): Promise<SigningKeyRow[]> =>
      database
        .select()
        .from(signingKeys)
        .where(eq(signingKeys.organizationId, organizationId))
        .orderBy(desc(signingKeys.createdAt), desc(signingKeys.id)),
  };
}
