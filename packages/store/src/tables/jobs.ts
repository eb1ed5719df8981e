import type { JobState } from "@keyloan/contract";
import { and, eq, gt, inArray, isNull, lt, lte, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { jobs } from "./schema.ts";

export type JobRow = typeof jobs.$inferSelect;

/** A job this worker holds until `lockedUntil`; `fence` proves the hold when the result is written. */
export type ClaimedJob = JobRow;

export function jobsTable(database: Database) {
  // A hold that seems to end later than any hold can was taken by a clock that has been set back since.
  const free = (now: number, heldUntilMax: number) =>
    or(isNull(jobs.lockedUntil), lt(jobs.lockedUntil, now), gt(jobs.lockedUntil, heldUntilMax));
  const claimed = (worker: string, lockedUntil: number) => ({
    lockedBy: worker,
    lockedUntil,
    fence: sql`${jobs.fence} + 1`,
    attempts: sql`${jobs.attempts} + 1`,
  });
  const placeholder = (name: string) => sql`${sql.placeholder(name)}`;
  const finish = database
    .update(jobs)
    .set({
      state: placeholder("state"),
      lockedBy: null,
      lockedUntil: null,
      lastError: placeholder("lastError"),
    })
    .where(
      and(
        eq(jobs.id, sql.placeholder("id")),
        eq(jobs.fence, sql.placeholder("fence")),
        eq(jobs.state, "waiting"),
      ),
    )
    .prepare();
  return {
    insertAll: async (rows: readonly JobRow[]): Promise<void> => {
      if (rows.length > 0) await database.insert(jobs).values([...rows]);
    },
    listByEntity: (entityId: string): Promise<JobRow[]> =>
      database.select().from(jobs).where(eq(jobs.entityId, entityId)),
    find: (id: string): Promise<JobRow | undefined> =>
      database.select().from(jobs).where(eq(jobs.id, id)).get(),
    /** Takes up to `limit` due jobs that nobody holds. */
    claimDue: async (
      worker: string,
      now: number,
      lockedUntil: number,
      limit: number,
    ): Promise<ClaimedJob[]> =>
      database
        .update(jobs)
        .set(claimed(worker, lockedUntil))
        .where(
          and(
            inArray(
              jobs.id,
              database
                .select({ id: jobs.id })
                .from(jobs)
                .where(and(eq(jobs.state, "waiting"), lte(jobs.runAfter, now), free(now, lockedUntil)))
                .orderBy(jobs.runAfter)
                .limit(limit),
            ),
            free(now, lockedUntil),
          ),
        )
        .returning(),
    /** Pushes the end of a hold; false when another worker has the job now. */
    extend: async (id: string, fence: number, lockedUntil: number): Promise<boolean> => {
      const result = await database
        .update(jobs)
        .set({ lockedUntil })
        .where(and(eq(jobs.id, id), eq(jobs.fence, fence), eq(jobs.state, "waiting")));
      return result.rowsAffected === 1;
    },
    /** Ends a job; false when another worker has claimed it meanwhile. */
    finish: async (
      id: string,
      fence: number,
      state: Extract<JobState, "done" | "failed">,
      lastError?: string,
    ): Promise<boolean> =>
      (await finish.run({ id, fence, state, lastError: lastError ?? null })).rowsAffected === 1,
    /** Keeps what a job needs to go on after a crash; false when another worker has claimed it meanwhile. */
    setPayload: async (id: string, fence: number, payload: JobRow["payload"]): Promise<boolean> => {
      const result = await database
        .update(jobs)
        .set({ payload })
        .where(and(eq(jobs.id, id), eq(jobs.fence, fence), eq(jobs.state, "waiting")));
      return result.rowsAffected === 1;
    },
    /** Gives a job back to be run again at `runAfter`; false when another worker has claimed it meanwhile. */
    retry: async (id: string, fence: number, runAfter: number, lastError: string): Promise<boolean> => {
      const result = await database
        .update(jobs)
        .set({ runAfter, lockedBy: null, lockedUntil: null, lastError })
        .where(and(eq(jobs.id, id), eq(jobs.fence, fence), eq(jobs.state, "waiting")));
      return result.rowsAffected === 1;
    },
    /** Ends waiting jobs of an entity that have become pointless. */
    cancelByEntity: async (entityId: string, kind: string): Promise<void> => {
      await database
        .update(jobs)
        .set({ state: "done", lockedBy: null, lockedUntil: null, fence: sql`${jobs.fence} + 1` })
        .where(and(eq(jobs.entityId, entityId), eq(jobs.kind, kind), eq(jobs.state, "waiting")));
    },
    /** Forgets jobs that ended; the lease of a failed one keeps its error. */
    deleteEnded: async (before: number): Promise<number> => {
      const ended = inArray(jobs.state, ["done", "failed", "cancelled"]);
      const result = await database.delete(jobs).where(and(ended, lt(jobs.runAfter, before)));
      return result.rowsAffected;
    },
    countByState: (): Promise<{ kind: string; state: string; count: number }[]> =>
      database
        .select({ kind: jobs.kind, state: jobs.state, count: sql<number>`count(*)` })
        .from(jobs)
        .groupBy(jobs.kind, jobs.state),
  };
}
