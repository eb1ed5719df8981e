import { and, eq, isNull, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { notKept } from "../errors.ts";
import { organizations } from "./schema.ts";

export type OrganizationRow = typeof organizations.$inferSelect;

export function organizationsTable(database: Database) {
  const find = database
    .select()
    .from(organizations)
    .where(eq(organizations.id, sql.placeholder("id")))
    .prepare();
  return {
    find: (id: string): Promise<OrganizationRow | undefined> => find.get({ id }),
    /** The oldest organization. */
    first: (): Promise<OrganizationRow | undefined> =>
      database.select().from(organizations).orderBy(organizations.createdAt).limit(1).get(),
    /** Ids of some, the oldest first; a broker makes one. */
    listIds: async (limit: number): Promise<readonly string[]> => {
      const rows = await database
        .select({ id: sql<string>`substr(${organizations.id}, 1, 64)` })
        .from(organizations)
        .orderBy(organizations.createdAt)
        .limit(limit);
      return rows.map(({ id }) => id);
    },
    insert: async (row: typeof organizations.$inferInsert): Promise<void> => {
      await database.insert(organizations).values(row);
    },
    /**
     * False when the state is no longer the one that was read.
     * @throws StoreError `altered` when the file does not keep the new one
     */
    setAuditState: async (id: string, before: string | null, after: string): Promise<boolean> => {
      const unchanged =
        before === null ? isNull(organizations.auditState) : eq(organizations.auditState, before);
      const result = await database
        .update(organizations)
        .set({ auditState: after })
        .where(and(eq(organizations.id, id), unchanged));
      const now = (await find.get({ id }))?.auditState;
      if (result.rowsAffected === 1 && now === after) return true;
      if (result.rowsAffected === 0 && now !== before) return false;
      throw notKept();
    },
  };
}
