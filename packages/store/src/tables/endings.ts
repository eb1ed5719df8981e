import { assertTransition, leaseStates, leaseTransitions } from "@keyloan/contract";
import { and, eq, inArray, ne, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { JobRow } from "./jobs.ts";
import type { LeaseRow } from "./leases.ts";
import { jobs, leases } from "./schema.ts";

/** States in which a lease has not begun to end. */
const livingStates = leaseStates.filter((state) => {
  const next: readonly string[] = leaseTransitions[state];
  return next.includes("releasing");
});

/** The changes to leases and jobs when lending ends: many rows in few statements. */
export function endingsTable(database: Database) {
  const isOpen = inArray(jobs.state, ["waiting", "requires_action"]);
  // One prepared statement per row count: building a statement costs more than running it.
  const byCount = <Prepared>(prepare: (count: number) => Prepared) => {
    const prepared = new Map<number, Prepared>();
    return (count: number): Prepared => {
      const statement = prepared.get(count) ?? prepare(count);
      prepared.set(count, statement);
      return statement;
    };
  };
  const placeholders = (count: number) =>
    Array.from({ length: count }, (_, index) => sql.placeholder(`id${index}`));
  const valuesOf = (ids: readonly string[]) => Object.fromEntries(ids.map((id, index) => [`id${index}`, id]));
  const startReleases = byCount((count) =>
    database
      .update(leases)
      .set({ state: "releasing", env: null })
      .where(and(inArray(leases.id, placeholders(count)), inArray(leases.state, livingStates)))
      .prepare(),
  );
  const jobsOf = byCount((count) =>
    database
      .select()
      .from(jobs)
      // The state is checked afterwards: as a condition it might make the engine read every open job of the store.
      .where(inArray(jobs.entityId, placeholders(count)))
      .prepare(),
  );
  const markReleased = database
    .update(leases)
    .set({ state: "released", lastError: null })
    .where(and(eq(leases.id, sql.placeholder("id")), inArray(leases.state, ["releasing", "requires_action"])))
    .prepare();
  const findUnreleased = database
    .select({ id: leases.id })
    .from(leases)
    .where(and(eq(leases.buildId, sql.placeholder("buildId")), ne(leases.state, "released")))
    .limit(1)
    .prepare();
  return {
    /** Records that nothing of a lease is left at its provider; false if it had not begun to end, or had ended. */
    markReleased: async (id: string): Promise<boolean> => (await markReleased.run({ id })).rowsAffected === 1,
    /** Whether anything of a build's leases may be left at a provider. */
    hasUnreleased: async (buildId: string): Promise<boolean> =>
      (await findUnreleased.get({ buildId })) !== undefined,
    /** The ids of all leases, or of one connector's, that have not begun to end. */
    listLiving: async (connectorId?: string): Promise<string[]> => {
      const rows = await database
        .select({ id: leases.id })
        .from(leases)
        .where(
          and(
            connectorId === undefined ? undefined : eq(leases.connectorId, connectorId),
            inArray(leases.state, livingStates),
          ),
        );
      return rows.map(({ id }) => id);
    },
    listByIds: (ids: readonly string[]): Promise<LeaseRow[]> =>
      database
        .select()
        .from(leases)
        .where(inArray(leases.id, [...ids])),
    /** Jobs on these entities that wait to run, are running, or require manual action. */
    openJobsOf: async (entityIds: readonly string[]): Promise<JobRow[]> => {
      if (entityIds.length === 0) return [];
      const rows: JobRow[] = await jobsOf(entityIds.length).all(valuesOf(entityIds));
      return rows.filter(({ state }) => state === "waiting" || state === "requires_action");
    },
    /** Begins to end leases and removes their values. */
    startReleases: async (rows: readonly LeaseRow[]): Promise<void> => {
      if (rows.length === 0) return;
      for (const { state } of rows) assertTransition(leaseTransitions, state, "releasing");
      await startReleases(rows.length).run(valuesOf(rows.map(({ id }) => id)));
    },
    /** Cancels jobs that have become pointless; a worker that is running one cannot record its result. */
    cancelJobs: async (ids: readonly string[], endedAt: number): Promise<void> => {
      if (ids.length === 0) return;
      await database
        .update(jobs)
        .set({
          state: "cancelled",
          lockedBy: null,
          lockedUntil: null,
          fence: sql`${jobs.fence} + 1`,
          endedAt,
        })
        .where(and(inArray(jobs.id, [...ids]), isOpen));
    },
    /** Leases end with their build: sets the new end of those that have not begun to end. */
    setExpiry: async (buildId: string, expiresAt: number): Promise<void> => {
      await database
        .update(leases)
        .set({ expiresAt })
        .where(and(eq(leases.buildId, buildId), inArray(leases.state, livingStates)));
    },
  };
}
