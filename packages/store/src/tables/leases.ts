import { type LeaseState, leaseTransitions } from "@keyloan/contract";
import { and, desc, eq, inArray, isNull, lt, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals, withoutMac } from "../row-seal.ts";
import { assertMoves } from "./assert-moves.ts";
import type { TimeCursor } from "./builds.ts";
import { provenTables } from "./proven-tables.ts";
import { bindings, leases } from "./schema.ts";

export type LeaseRow = Omit<typeof leases.$inferSelect, "mac">;

export function leasesTable(database: Database, seals: Seals) {
  const { seal, reseal, isGenuine } = createRowSeal(seals, provenTables.leases);
  /** A lease that the broker did not write is read without names at its provider, so nothing there is ended for it. */
  const readRow = (row: typeof leases.$inferSelect): LeaseRow => ({
    ...withoutMac(row),
    ...(isGenuine(row) ? {} : { handle: {}, usage: null }),
  });
  const readAll = (rows: readonly (typeof leases.$inferSelect)[]): LeaseRow[] => rows.map(readRow);
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
  const sealed = async (id: string, changes: Partial<LeaseRow>) => {
    const row = await find.get({ id });
    return row === undefined || !isGenuine(row) ? undefined : reseal(row, changes);
  };
  // Written for every lease that is issued, so it is prepared rather than built each time.
  const placeholder = (name: string) => sql`${sql.placeholder(name)}`;
  const markIssued = database
    .update(leases)
    .set({
      state: "active",
      env: placeholder("env"),
      orgKeyVersion: placeholder("orgKeyVersion"),
      issuedAt: placeholder("issuedAt"),
      attempts: placeholder("attempts"),
      lastError: null,
    })
    .where(and(eq(leases.id, sql.placeholder("id")), eq(leases.state, "planned")))
    .prepare();
  const findUnissued = database
    .select({ id: leases.id })
    .from(leases)
    .innerJoin(bindings, eq(bindings.leaseId, leases.id))
    .where(
      and(
        eq(leases.buildId, sql.placeholder("buildId")),
        eq(bindings.buildId, leases.buildId),
        // A revoked lease waits for nothing, and neither does an issued one whose end requires manual action.
        or(
          inArray(leases.state, ["planned", "failed"]),
          and(eq(leases.state, "requires_action"), isNull(leases.issuedAt)),
        ),
      ),
    )
    .limit(1)
    .prepare();
  return {
    find: async (id: string): Promise<LeaseRow | undefined> => {
      const row = await find.get({ id });
      return row === undefined ? undefined : readRow(row);
    },
    /** Gives a planned lease its values; false if it was not planned any more. */
    markIssued: async (
      id: string,
      issued: Pick<LeaseRow, "env" | "orgKeyVersion" | "issuedAt" | "attempts">,
    ): Promise<boolean> => (await markIssued.run({ id, ...issued })).rowsAffected === 1,
    /** Whether a lease that the build uses still waits for its values. */
    hasUnissued: async (buildId: string): Promise<boolean> =>
      (await findUnissued.get({ buildId })) !== undefined,
    listByBuild: async (buildId: string): Promise<LeaseRow[]> => readAll(await listByBuild.all({ buildId })),
    listByBuilds: async (buildIds: readonly string[]): Promise<LeaseRow[]> => {
      if (buildIds.length === 0) return [];
      const rows = await database
        .select()
        .from(leases)
        .where(inArray(leases.buildId, [...buildIds]))
        .orderBy(leases.connectorId);
      return readAll(rows);
    },
    /** A page of leases, newest first. */
    list: async (query: {
      readonly after?: TimeCursor;
      readonly state?: LeaseState;
      readonly connectorId?: string;
      readonly buildId?: string;
      readonly limit: number;
    }): Promise<LeaseRow[]> => {
      const { after, state, connectorId, buildId, limit } = query;
      const rows = await database
        .select()
        .from(leases)
        .where(
          and(
            after === undefined
              ? undefined
              : or(
                  lt(leases.createdAt, after.createdAt),
                  and(eq(leases.createdAt, after.createdAt), lt(leases.id, after.id)),
                ),
            state === undefined ? undefined : eq(leases.state, state),
            connectorId === undefined ? undefined : eq(leases.connectorId, connectorId),
            buildId === undefined ? undefined : eq(leases.buildId, buildId),
          ),
        )
        .orderBy(desc(leases.createdAt), desc(leases.id))
        .limit(limit);
      return readAll(rows);
    },
    insertAll: async (rows: readonly LeaseRow[]): Promise<void> => {
      await database.insert(leases).values(rows.map(seal));
    },
    listByState: async (connectorId: string, states: readonly LeaseState[]): Promise<LeaseRow[]> =>
      readAll(
        await database
          .select()
          .from(leases)
          .where(and(eq(leases.connectorId, connectorId), inArray(leases.state, [...states]))),
      ),
    /** False when the lease was not in one of the `from` states. Throws for a move the state table forbids. */
    update: async (
      id: string,
      from: readonly LeaseState[],
      changes: Partial<Omit<LeaseRow, "id" | "buildId" | "connectorId" | "createdAt">>,
    ): Promise<boolean> => {
      assertMoves(leaseTransitions, from, changes.state);
      const { handle, usage } = changes;
      const isProven = handle !== undefined || usage !== undefined;
      const written = isProven ? await sealed(id, changes) : changes;
      if (written === undefined) return false;
      const result = await database
        .update(leases)
        .set(written)
        .where(and(eq(leases.id, id), inArray(leases.state, [...from])));
      return result.rowsAffected === 1;
    },
    countByState: (): Promise<{ connectorId: string; state: LeaseState; count: number }[]> =>
      database
        .select({ connectorId: leases.connectorId, state: leases.state, count: sql<number>`count(*)` })
        .from(leases)
        .groupBy(leases.connectorId, leases.state),
  };
}
