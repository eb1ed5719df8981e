import { desc, eq } from "drizzle-orm";
import type { Database } from "../database.ts";
import { signingKeys } from "./schema.ts";

export type SigningKeyRow = typeof signingKeys.$inferSelect;

export function signingKeysTable(database: Database) {
  return {
    insert: async (row: SigningKeyRow): Promise<void> => {
      await database.insert(signingKeys).values(row);
    },
    /** Newest first; the first one signs, the others only prove what was signed before. */
    list: (organizationId: string): Promise<SigningKeyRow[]> =>
      database
        .select()
        .from(signingKeys)
        .where(eq(signingKeys.organizationId, organizationId))
        .orderBy(desc(signingKeys.createdAt), desc(signingKeys.id)),
  };
}
