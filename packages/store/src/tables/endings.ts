import { assertTransition, leaseStates, leaseTransitions } from "@keyloan/contract";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { JobRow } from "./jobs.ts";
import type { LeaseRow } from "./leases.ts";
import { jobs, leases } from "./schema.ts";

/** States in which a lease has not begun to end. */
const livingStates = leaseStates.filter((state) => {
  const next: readonly string[] = leaseTransitions[state];
  return next.includes("releasing");
});

/** What happens to leases and jobs when what was lent ends: many rows in few statements. */
export function endingsTable(database: Database) {
  const isOpen = inArray(jobs.state, ["waiting", "needs_hands"]);
  const openJobsOfBuild = database
    .select()
    .from(jobs)
    .where(and(eq(jobs.buildId, sql.placeholder("buildId")), isOpen))
    .prepare();
  // One prepared statement per row count: building a statement costs more than running it.
  const starts = new Map<number, ReturnType<typeof prepareStart>>();
  const prepareStart = (count: number) =>
    database
      .update(leases)
      .set({ state: "releasing", env: null })
      .where(
        and(
          inArray(
            leases.id,
            Array.from({ length: count }, (_, index) => sql.placeholder(`id${index}`)),
          ),
          inArray(leases.state, livingStates),
        ),
      )
      .prepare();
  return {
    /** Some of the leases that have not begun to end, of one connector or of all. */
    listLiving: (filter: { readonly connectorId?: string; readonly limit: number }): Promise<LeaseRow[]> =>
      database
        .select()
        .from(leases)
        .where(
          and(
            filter.connectorId === undefined ? undefined : eq(leases.connectorId, filter.connectorId),
            inArray(leases.state, livingStates),
          ),
        )
        .limit(filter.limit),
    openJobsOfBuild: (buildId: string): Promise<JobRow[]> => openJobsOfBuild.all({ buildId }),
    openJobsOf: (leaseIds: readonly string[]): Promise<JobRow[]> =>
      leaseIds.length === 0
        ? Promise.resolve([])
        : database
            .select()
            .from(jobs)
            .where(and(inArray(jobs.entityId, [...leaseIds]), isOpen)),
    /** Lets leases begin to end and removes their values; those that have begun already stay as they are. */
    startReleases: async (rows: readonly LeaseRow[]): Promise<void> => {
      if (rows.length === 0) return;
      for (const { state } of rows) assertTransition(leaseTransitions, state, "releasing");
      const statement = starts.get(rows.length) ?? prepareStart(rows.length);
      starts.set(rows.length, statement);
      await statement.run(Object.fromEntries(rows.map(({ id }, index) => [`id${index}`, id])));
    },
    /** Ends jobs that have become pointless; whoever runs one now cannot record its result. */
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
    /** Leases end with their build: the new end of all that have not begun to end. */
    setExpiry: async (buildId: string, expiresAt: number): Promise<void> => {
      await database
        .update(leases)
        .set({ expiresAt })
        .where(and(eq(leases.buildId, buildId), inArray(leases.state, livingStates)));
    },
  };
}
