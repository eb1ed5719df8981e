import { type JobState, jobTransitions } from "@keyloan/contract";
import { and, desc, eq, gt, inArray, lt, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals, withoutMac } from "../row-seal.ts";
import { assertMoves } from "./assert-moves.ts";
import type { TimeCursor } from "./builds.ts";
import { alteredJob, claimsOf, openStates } from "./job-claims.ts";
import { holdsOf, letGo, type Resealed } from "./job-holds.ts";
import { insertsOf } from "./job-inserts.ts";
import { provenTables } from "./proven-tables.ts";
import { jobs } from "./schema.ts";
import type { StoredRequiredAction } from "./stored.ts";

export type JobRow = Omit<typeof jobs.$inferSelect, "mac">;

/** A job that this worker holds until `lockedUntil`; `fence` proves the hold when the result is written. */
export type ClaimedJob = JobRow;

/** No job is planned further ahead; a job with a later `runAfter` only waits for manual action. */
const waitMsMax = 400 * 24 * 3_600_000;

const cancelled = {
  state: "cancelled",
  ...letGo,
  fence: sql`${jobs.fence} + 1`,
} as const;

export function jobsTable(database: Database, seals: Seals) {
  const { seal, reseal, isGenuine, open, openAll } = createRowSeal(seals, provenTables.jobs);
  const findRow = (id: string) => database.select().from(jobs).where(eq(jobs.id, id)).get();
  /** The changes with the MAC of the changed row; `undefined` if the broker did not write the row. */
  const sealed: Resealed = async (id, changes) => {
    const row = open(await findRow(id));
    return row === undefined ? undefined : reseal(row, changes);
  };
  /** A job that the broker did not write is never run. It is read as failed, without payload and required action. */
  const readRow = (row: typeof jobs.$inferSelect): JobRow => ({
    ...withoutMac(row),
    ...(isGenuine(row)
      ? {}
      : { state: "failed", lastError: alteredJob, payload: null, requiredAction: null, attempts: 0 }),
  });
  return {
    ...insertsOf(database, seal),
    ...claimsOf(database, isGenuine),
    ...holdsOf(database, sealed),
    listByEntity: async (entityId: string): Promise<JobRow[]> =>
      openAll(await database.select().from(jobs).where(eq(jobs.entityId, entityId))),
    find: async (id: string): Promise<JobRow | undefined> => {
      const row = await findRow(id);
      return row === undefined ? undefined : readRow(row);
    },
    /** The ids of jobs that the broker did not write and has refused to run. */
    listRefused: async (limit: number): Promise<string[]> => {
      const isRefused = and(eq(jobs.state, "failed"), eq(jobs.lastError, alteredJob));
      const rows = await database.select({ id: jobs.id }).from(jobs).where(isRefused).limit(limit);
      return rows.map(({ id }) => id);
    },
    /** A page of jobs, newest first. */
    list: async (query: {
      readonly after?: TimeCursor;
      readonly state?: JobState;
      readonly kind?: string;
      readonly buildId?: string;
      readonly connectorId?: string;
      readonly limit: number;
    }): Promise<JobRow[]> => {
      const { after, state, kind, buildId, connectorId } = query;
      const rows = await database
        .select()
        .from(jobs)
        .where(
          and(
            after === undefined
              ? undefined
              : or(
                  lt(jobs.createdAt, after.createdAt),
                  and(eq(jobs.createdAt, after.createdAt), lt(jobs.id, after.id)),
                ),
            state === undefined ? undefined : eq(jobs.state, state),
            kind === undefined ? undefined : eq(jobs.kind, kind),
            buildId === undefined ? undefined : eq(jobs.buildId, buildId),
            connectorId === undefined ? undefined : eq(jobs.connectorId, connectorId),
          ),
        )
        .orderBy(desc(jobs.createdAt), desc(jobs.id))
        .limit(query.limit);
      return rows.map(readRow);
    },
    /** Records a reminder; false if another broker has done so, or the job no longer requires action. */
    setReminded: async (
      id: string,
      requiredAction: StoredRequiredAction,
      remindedAt: number,
    ): Promise<boolean> => {
      const changes = await sealed(id, { requiredAction: { ...requiredAction, remindedAt } });
      if (changes === undefined) return false;
      const result = await database
        .update(jobs)
        .set(changes)
        .where(
          and(eq(jobs.id, id), eq(jobs.state, "requires_action"), eq(jobs.requiredAction, requiredAction)),
        );
      return result.rowsAffected === 1;
    },
    /** The jobs that require manual action. */
    requiredActions: async (): Promise<JobRow[]> =>
      openAll(await database.select().from(jobs).where(eq(jobs.state, "requires_action"))),
    /** Starts a job anew, as if it had never been run; false when it was in none of these states. */
    restart: async (id: string, from: readonly JobState[], runAfter: number): Promise<boolean> => {
      assertMoves(jobTransitions, from, "waiting");
      const changes = await sealed(id, { requiredAction: null });
      if (changes === undefined) return false;
      const result = await database
        .update(jobs)
        .set({
          state: "waiting",
          runAfter,
          attempts: 0,
          ...changes,
          endedAt: null,
          ...letGo,
          fence: sql`${jobs.fence} + 1`,
        })
        .where(and(eq(jobs.id, id), inArray(jobs.state, [...from])));
      return result.rowsAffected === 1;
    },
    /** Makes an open job due now if it would be due later. */
    hasten: async (id: string, now: number): Promise<void> => {
      const isOpen = inArray(jobs.state, [...openStates]);
      await database
        .update(jobs)
        .set({ runAfter: now })
        .where(and(eq(jobs.id, id), isOpen, gt(jobs.runAfter, now)));
    },
    /** Cancels an open or failed job; a worker that is running it cannot record its result. */
    cancel: async (id: string, endedAt: number): Promise<boolean> => {
      const result = await database
        .update(jobs)
        .set({ ...cancelled, endedAt })
        .where(and(eq(jobs.id, id), inArray(jobs.state, [...openStates, "failed"])));
      return result.rowsAffected === 1;
    },
    /** Cancels an entity's open jobs of one kind. */
    cancelByEntity: async (entityId: string, kind: string, endedAt?: number): Promise<void> => {
      const isOpen = inArray(jobs.state, [...openStates]);
      await database
        .update(jobs)
        .set({ ...cancelled, endedAt: endedAt ?? null })
        .where(and(eq(jobs.entityId, entityId), eq(jobs.kind, kind), isOpen));
    },
    /** Deletes jobs that ended before `before`; the lease of a failed one keeps its error. */
    deleteEnded: async (before: number): Promise<number> => {
      const ended = inArray(jobs.state, ["done", "failed", "cancelled"]);
      const result = await database
        .delete(jobs)
        .where(and(ended, lt(sql`coalesce(${jobs.endedAt}, ${jobs.runAfter})`, before)));
      return result.rowsAffected;
    },
    /** Makes waiting jobs due earlier by `byMs`, after the clock was set back by that much. @returns how many */
    comeEarlier: async (byMs: number, now: number): Promise<number> => {
      const waits = and(gt(jobs.runAfter, now), lt(jobs.runAfter, now + waitMsMax));
      const result = await database
        .update(jobs)
        .set({ runAfter: sql`${jobs.runAfter} - ${byMs}` })
        .where(and(inArray(jobs.state, [...openStates]), waits));
      return result.rowsAffected;
    },
    countByState: (): Promise<{ kind: string; state: string; count: number }[]> =>
      database
        .select({ kind: jobs.kind, state: jobs.state, count: sql<number>`count(*)` })
        .from(jobs)
        .groupBy(jobs.kind, jobs.state),
  };
}
