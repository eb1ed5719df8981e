import { assertTransition, type LeaseState, leaseTransitions } from "@keyloan/contract";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { leases } from "./schema.ts";

export type LeaseRow = typeof leases.$inferSelect;

export function leasesTable(database: Database) {
  const find = database
    .select()
    .from(leases)
    .where(eq(leases.id, sql.placeholder("id")))
    .prepare();
  const listByBuild = database
    .select()
    .from(leases)
    .where(eq(leases.buildId, sql.placeholder("buildId")))
    .orderBy(leases.connectorId)
    .prepare();
  return {
    find: (id: string): Promise<LeaseRow | undefined> => find.get({ id }),
    listByBuild: (buildId: string): Promise<LeaseRow[]> => listByBuild.all({ buildId }),
    listByBuilds: (buildIds: readonly string[]): Promise<LeaseRow[]> =>
      buildIds.length === 0
        ? Promise.resolve([])
        : database
            .select()
            .from(leases)
            .where(inArray(leases.buildId, [...buildIds]))
            .orderBy(leases.connectorId),
    insertAll: async (rows: readonly LeaseRow[]): Promise<void> => {
      await database.insert(leases).values([...rows]);
    },
    listByState: (connectorId: string, states: readonly LeaseState[]): Promise<LeaseRow[]> =>
      database
        .select()
        .from(leases)
        .where(and(eq(leases.connectorId, connectorId), inArray(leases.state, [...states]))),
    /** False when the lease was not in one of the `from` states. Throws for a move the state table forbids. */
    update: async (
      id: string,
      from: readonly LeaseState[],
      changes: Partial<Omit<LeaseRow, "id" | "buildId" | "connectorId" | "createdAt">>,
    ): Promise<boolean> => {
      for (const state of from) {
        if (changes.state !== undefined && changes.state !== state) {
          assertTransition(leaseTransitions, state, changes.state);
        }
      }
      const result = await database
        .update(leases)
        .set(changes)
        .where(and(eq(leases.id, id), inArray(leases.state, [...from])));
      return result.rowsAffected === 1;
    },
    /** Leases that still hold something issued with this version of an org key. */
    countUsing: async (connectorId: string, orgKeyVersion: number): Promise<number> => {
      const row = await database
        .select({ count: sql<number>`count(*)` })
        .from(leases)
        .where(
          and(
            eq(leases.connectorId, connectorId),
            eq(leases.orgKeyVersion, orgKeyVersion),
            inArray(leases.state, ["active", "releasing", "archived", "needs_hands"]),
          ),
        )
        .get();
      return row?.count ?? 0;
    },
    countByState: (): Promise<{ connectorId: string; state: LeaseState; count: number }[]> =>
      database
        .select({ connectorId: leases.connectorId, state: leases.state, count: sql<number>`count(*)` })
        .from(leases)
        .groupBy(leases.connectorId, leases.state),
  };
}
