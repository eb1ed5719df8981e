import { and, asc, eq, gt, inArray, isNotNull, isNull, lt, notExists, or, type SQL, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { LeaseRow } from "./leases.ts";
import { jobs, leases } from "./schema.ts";
import type { StoredLeaseError } from "./stored.ts";

/** Which leases depend on which version of an org key: queries for replacing and retiring keys. */
export function keyUsesTable(database: Database) {
  const openRekey = database
    .select({ one: sql`1` })
    .from(jobs)
    .where(
      and(
        eq(jobs.entityId, leases.id),
        eq(jobs.kind, "rekey"),
        inArray(jobs.state, ["waiting", "requires_action"]),
      ),
    );
  return {
    /** How many leases still hold something issued with this version of an org key. */
    count: async (connectorId: string, version: number): Promise<number> => {
      const row = await database
        .select({ count: sql<number>`count(*)` })
        .from(leases)
        .where(holdsOf(connectorId, version))
        .get();
      return row?.count ?? 0;
    },
    /** Ids of builds with leases that still hold something issued with this version of an org key. */
    listBuilds: async (connectorId: string, version: number, limit: number): Promise<string[]> => {
      const rows = await database
        .selectDistinct({ buildId: leases.buildId })
        .from(leases)
        .where(holdsOf(connectorId, version))
        .orderBy(leases.buildId)
        .limit(limit);
      return rows.map(({ buildId }) => buildId);
    },
    /**
     * Whether something at the provider may still have to be ended with this version: a lease that was made with it, or
     * a lease planned before `replacedAt`, which may be being made with it right now.
     */
    isInUse: async (connectorId: string, version: number, replacedAt: number): Promise<boolean> => {
      const planned = and(
        eq(leases.connectorId, connectorId),
        eq(leases.state, "planned"),
        lt(leases.createdAt, replacedAt),
      );
      const found = await database
        .select({ id: leases.id })
        .from(leases)
        .where(or(holdsOf(connectorId, version), planned))
        .limit(1)
        .get();
      return found !== undefined;
    },
    /**
     * Leases that depend on an older version than `version` and that no job moves to it yet, ordered by id, after
     * `afterId`. With `flagged`, also leases that an earlier attempt could not move.
     */
    listToRekey: (
      connectorId: string,
      version: number,
      query: { readonly flagged: boolean; readonly afterId: string; readonly limit: number },
    ): Promise<LeaseRow[]> =>
      database
        .select()
        .from(leases)
        .where(
          and(
            eq(leases.connectorId, connectorId),
            inArray(leases.state, ["active", "archived"]),
            gt(leases.orgKeyVersion, 0),
            lt(leases.orgKeyVersion, version),
            gt(leases.id, query.afterId),
            query.flagged ? undefined : isNull(leases.lastError),
            notExists(openRekey),
          ),
        )
        .orderBy(asc(leases.id))
        .limit(query.limit),
    /** The reasons why leases stay with a replaced version, each with the number of leases. */
    listFlags: async (
      connectorId: string,
      version: number,
    ): Promise<{ readonly error: StoredLeaseError; readonly leases: number }[]> => {
      const uses: SQL | undefined = and(
        eq(leases.connectorId, connectorId),
        eq(leases.orgKeyVersion, version),
        inArray(leases.state, ["active", "archived"]),
        isNotNull(leases.lastError),
      );
      const rows = await database
        .select({ error: leases.lastError, leases: sql<number>`count(*)` })
        .from(leases)
        .where(uses)
        .groupBy(leases.lastError);
      return rows.flatMap(({ error, leases: count }) => (error === null ? [] : [{ error, leases: count }]));
    },
  };
}

/** Leases that hold, or may hold, something at the provider that was made with a version. */
function holdsOf(connectorId: string, version: number): SQL | undefined {
  return and(
    eq(leases.connectorId, connectorId),
    eq(leases.orgKeyVersion, version),
    inArray(leases.state, ["active", "releasing", "archived", "requires_action"]),
  );
}
