import { and, asc, eq, gt, ne, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { cutText, isNamed } from "./cut.ts";
import { dataKeys } from "./schema.ts";

export type DataKeyRow = typeof dataKeys.$inferSelect;

/** Looks up each id in the index after the one before: reading all rows would take longer with every build. */
export const keyIdsQuery = sql`WITH RECURSIVE found (kid) AS (
  SELECT min(kid) FROM data_keys
  UNION ALL
  SELECT (SELECT min(kid) FROM data_keys WHERE kid > found.kid) FROM found WHERE found.kid IS NOT NULL
) SELECT kid FROM found WHERE kid IS NOT NULL`;

export function dataKeysTable(database: Database) {
  // The org's key is read for every check of the audit, so a longer value, which is not ours, is cut and does not open.
  const findByOwner = database
    .select({
      id: dataKeys.id,
      ownerId: dataKeys.ownerId,
      kid: cutText(dataKeys.kid, 1_000),
      wrapped: cutText(dataKeys.wrapped, 1_000),
      createdAt: dataKeys.createdAt,
    })
    .from(dataKeys)
    .where(eq(dataKeys.ownerId, sql.placeholder("ownerId")))
    .prepare();
  const deleteByOwner = database
    .delete(dataKeys)
    .where(eq(dataKeys.ownerId, sql.placeholder("ownerId")))
    .prepare();
  return {
    findByOwner: (ownerId: string): Promise<DataKeyRow | undefined> => findByOwner.get({ ownerId }),
    insert: async (row: DataKeyRow): Promise<void> => {
      await database.insert(dataKeys).values(row);
    },
    /** Keys that the root key `kid` does not wrap, ordered by id, after `afterId`. */
    listOtherThan: (kid: string, afterId: string, limit: number): Promise<DataKeyRow[]> =>
      database
        .select()
        .from(dataKeys)
        .where(and(ne(dataKeys.kid, kid), gt(dataKeys.id, afterId), isNamed(dataKeys.id)))
        .orderBy(asc(dataKeys.id))
        .limit(limit),
    /** False if the row was changed or removed meanwhile. */
    rewrap: async (
      row: Pick<DataKeyRow, "id" | "kid" | "wrapped">,
      previous: Pick<DataKeyRow, "wrapped">,
    ): Promise<boolean> => {
      const result = await database
        .update(dataKeys)
        .set({ kid: row.kid, wrapped: row.wrapped })
        .where(and(eq(dataKeys.id, row.id), eq(dataKeys.wrapped, previous.wrapped)));
      return result.rowsAffected === 1;
    },
    /** Shreds the owner's key: whatever it sealed can never be opened again. */
    deleteByOwner: async (ownerId: string): Promise<void> => {
      await deleteByOwner.run({ ownerId });
    },
    count: async (): Promise<number> => {
      const row = await database.select({ count: sql<number>`count(*)` }).from(dataKeys).get();
      return row?.count ?? 0;
    },
    /** How many data keys each root key wraps. */
    countByRootKey: (): Promise<{ kid: string; count: number }[]> =>
      database
        .select({ kid: dataKeys.kid, count: sql<number>`count(*)` })
        .from(dataKeys)
        .groupBy(dataKeys.kid)
        .orderBy(dataKeys.kid),
    listKeyIds: async (): Promise<string[]> => {
      const rows = await database.values<[string]>(keyIdsQuery);
      return rows.map(([kid]) => kid);
    },
  };
}
