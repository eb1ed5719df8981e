import { assertTransition, type OrgKeyState, orgKeyTransitions } from "@keyloan/contract";
import { and, desc, eq, inArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { orgKeys, type StoredCheck } from "./schema.ts";

export type OrgKeyRow = typeof orgKeys.$inferSelect;

export function orgKeysTable(database: Database) {
  const latest = database
    .select()
    .from(orgKeys)
    .where(
      and(
        eq(orgKeys.organizationId, sql.placeholder("organizationId")),
        eq(orgKeys.connectorId, sql.placeholder("connectorId")),
      ),
    )
    .orderBy(desc(orgKeys.version))
    .limit(1)
    .prepare();
  return {
    /** The newest version, whatever its state. */
    findLatest: (organizationId: string, connectorId: string): Promise<OrgKeyRow | undefined> =>
      latest.get({ organizationId, connectorId }),
    /** Every version of one connector's key, newest first. */
    listVersions: (organizationId: string, connectorId: string): Promise<OrgKeyRow[]> =>
      database
        .select()
        .from(orgKeys)
        .where(and(eq(orgKeys.organizationId, organizationId), eq(orgKeys.connectorId, connectorId)))
        .orderBy(desc(orgKeys.version)),
    list: (organizationId: string): Promise<OrgKeyRow[]> =>
      database
        .select()
        .from(orgKeys)
        .where(eq(orgKeys.organizationId, organizationId))
        .orderBy(orgKeys.connectorId, desc(orgKeys.version)),
    listActive: (organizationId: string): Promise<OrgKeyRow[]> =>
      database
        .select()
        .from(orgKeys)
        .where(and(eq(orgKeys.organizationId, organizationId), eq(orgKeys.state, "active"))),
    insert: async (row: OrgKeyRow): Promise<void> => {
      await database.insert(orgKeys).values(row);
    },
    moveState: async (id: string, from: readonly OrgKeyState[], to: OrgKeyState): Promise<boolean> => {
      for (const state of from) assertTransition(orgKeyTransitions, state, to);
      const result = await database
        .update(orgKeys)
        .set({ state: to })
        .where(and(eq(orgKeys.id, id), inArray(orgKeys.state, [...from])));
      return result.rowsAffected === 1;
    },
    recordCheck: async (
      id: string,
      check: StoredCheck,
      checkedAt: number,
      facts?: OrgKeyRow["facts"],
    ): Promise<void> => {
      const changes = { check, checkedAt, ...(facts === undefined ? {} : { facts }) };
      await database.update(orgKeys).set(changes).where(eq(orgKeys.id, id));
    },
  };
}
