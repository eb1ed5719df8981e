import { and, eq, isNull, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { notKept } from "../errors.ts";
import { cut, cutText } from "./cut.ts";
import { dataKeys, organizations } from "./schema.ts";

export type OrganizationRow = typeof organizations.$inferSelect;

/** Far more than the state of an audit needs after its heads were given up a hundred times. */
const auditStateBytesMax = 64 * 1024;

export function organizationsTable(database: Database) {
  const auditState = cut(organizations.auditState, auditStateBytesMax);
  const columns = {
    id: cutText(organizations.id, 64),
    name: cutText(organizations.name, 1_000),
    createdAt: organizations.createdAt,
    auditState,
  };
  const find = database
    .select(columns)
    .from(organizations)
    .where(eq(organizations.id, sql.placeholder("id")))
    .prepare();
  return {
    find: (id: string): Promise<OrganizationRow | undefined> => find.get({ id }),
    /** The oldest organization. */
    first: (): Promise<OrganizationRow | undefined> =>
      database.select(columns).from(organizations).orderBy(organizations.createdAt).limit(1).get(),
    /** Ids of organizations that have a data key, the oldest first; a broker creates only one. */
    listIds: async (limit: number): Promise<readonly string[]> => {
      const rows = await database
        .select({ id: sql<string>`substr(${organizations.id}, 1, 64)` })
        .from(organizations)
        .innerJoin(dataKeys, eq(dataKeys.ownerId, organizations.id))
        .orderBy(organizations.createdAt)
        .limit(limit);
      return rows.map(({ id }) => id);
    },
    insert: async (row: typeof organizations.$inferInsert): Promise<void> => {
      await database.insert(organizations).values(row);
    },
    /**
     * False if the state is no longer the one that was read; a state that is too long to be ours counts as null.
     * @throws StoreError `altered` if the file does not keep the new state
     */
    setAuditState: async (id: string, before: string | null, after: string): Promise<boolean> => {
      const unchanged = before === null ? isNull(auditState) : eq(organizations.auditState, before);
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
