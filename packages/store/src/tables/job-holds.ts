import type { JobState } from "@keyloan/contract";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import type { Database } from "../database.ts";
import { openStates } from "./job-claims.ts";
import type { JobRow } from "./jobs.ts";
import { jobs } from "./schema.ts";
import type { StoredRequiredAction } from "./stored.ts";

/** The columns of a job that no worker holds. */
export const letGo = { lockedBy: null, lockedUntil: null } as const;

/** Changes to a job's proven columns, with its new MAC; `undefined` if the broker did not write the job. */
export type Resealed = <Changes extends Partial<Pick<JobRow, "payload" | "requiredAction">>>(
  id: string,
  changes: Changes,
) => Promise<(Changes & { mac: string | null }) | undefined>;

/** The changes that a worker makes to a job that it holds; the fence proves its hold. */
export function holdsOf(database: Database, sealed: Resealed) {
  const placeholder = (name: string) => sql`${sql.placeholder(name)}`;
  const finish = database
    .update(jobs)
    .set({
      state: placeholder("state"),
      ...letGo,
      lastError: placeholder("lastError"),
      endedAt: placeholder("endedAt"),
    })
    .where(
      and(
        eq(jobs.id, sql.placeholder("id")),
        eq(jobs.fence, sql.placeholder("fence")),
        inArray(jobs.state, [...openStates]),
      ),
    )
    .prepare();
  const changeHeld = async (
    id: string,
    fence: number,
    changes: SQLiteUpdateSetSource<typeof jobs>,
  ): Promise<boolean> => {
    const result = await database
      .update(jobs)
      .set(changes)
      .where(and(eq(jobs.id, id), eq(jobs.fence, fence), inArray(jobs.state, [...openStates])));
    return result.rowsAffected === 1;
  };
  return {
    /** Extends a hold; false if another worker has the job now. */
    extend: (id: string, fence: number, lockedUntil: number): Promise<boolean> =>
      changeHeld(id, fence, { lockedUntil }),
    /** Ends a job; false when another worker has claimed it meanwhile. */
    finish: async (
      id: string,
      fence: number,
      state: Extract<JobState, "done" | "failed">,
      lastError?: string,
      endedAt?: number,
    ): Promise<boolean> => {
      const ended = { state, lastError: lastError ?? null, endedAt: endedAt ?? null };
      return (await finish.run({ id, fence, ...ended })).rowsAffected === 1;
    },
    /** Stores what a job needs to continue after a crash; false if another worker has claimed it meanwhile. */
    setPayload: async (id: string, fence: number, payload: JobRow["payload"]): Promise<boolean> => {
      const changes = await sealed(id, { payload });
      return changes !== undefined && (await changeHeld(id, fence, changes));
    },
    /** Gives a job back to be run again at `runAfter`; false when another worker has claimed it meanwhile. */
    retry: (id: string, fence: number, runAfter: number, lastError: string): Promise<boolean> =>
      changeHeld(id, fence, { runAfter, ...letGo, lastError }),
    /** Like `retry`, but the run does not count as an attempt. */
    postpone: (id: string, fence: number, runAfter: number, lastError: string): Promise<boolean> =>
      changeHeld(id, fence, {
        runAfter,
        ...letGo,
        lastError,
        attempts: sql`${jobs.attempts} - 1`,
      }),
    /** Marks a job as requiring manual action; it still runs at `runAfter`. False if another worker has claimed it. */
    requireAction: async (
      id: string,
      fence: number,
      requiredAction: StoredRequiredAction,
      runAfter: number,
      lastError: string,
    ): Promise<boolean> => {
      const changes = await sealed(id, { requiredAction });
      if (changes === undefined) return false;
      return changeHeld(id, fence, { state: "requires_action", ...changes, runAfter, ...letGo, lastError });
    },
  };
}
