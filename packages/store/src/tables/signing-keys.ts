import { and, asc, eq, notInArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { requireWritten } from "../errors.ts";
import { cut, cutText } from "./cut.ts";
import { signingKeys } from "./schema.ts";

export type SigningKeyRow = typeof signingKeys.$inferSelect;

// Somebody else may have written values of any length: a longer one is cut, so it fits no MAC.
const columns = {
  id: sql<string>`substr(${signingKeys.id}, 1, 100)`,
  organizationId: signingKeys.organizationId,
  publicKey: cutText(signingKeys.publicKey, 1_000),
  privateKey: cutText(signingKeys.privateKey, 4_000),
  createdAt: sql<number>`${cut(signingKeys.createdAt, 64)}`,
  mac: cut(signingKeys.mac, 200),
};

export function signingKeysTable(database: Database) {
  return {
    insert: async (row: SigningKeyRow): Promise<void> => {
      requireWritten(await database.insert(signingKeys).values(row));
    },
    setMac: async (id: string, mac: string): Promise<void> => {
      requireWritten(await database.update(signingKeys).set({ mac }).where(eq(signingKeys.id, id)));
    },
    /** Removes all of an org's keys except the named ones. */
    keepOnly: async (organizationId: string, ids: readonly string[]): Promise<void> => {
      await database
        .delete(signingKeys)
        .where(and(eq(signingKeys.organizationId, organizationId), notInArray(signingKeys.id, [...ids])));
    },
    /** All keys of an org, authentic or not, ordered by id. */
    list: (organizationId: string, limit: number, offset: number): Promise<SigningKeyRow[]> =>
      database
        .select(columns)
        .from(signingKeys)
        .where(eq(signingKeys.organizationId, organizationId))
        .orderBy(asc(signingKeys.id))
        .limit(limit)
        .offset(offset),
  };
}
