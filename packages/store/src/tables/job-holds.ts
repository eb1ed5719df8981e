import type { JobState } from "@keyloan/contract";
import { and, eq, inArray, sql } from "drizzle-orm";
import type { SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import type { Database } from "../database.ts";
import { openStates } from "./job-claims.ts";
import type { JobRow } from "./jobs.ts";
import { jobs } from "./schema.ts";
import type { StoredRequiredAction } from "./stored.ts";

/** What nobody holds. */
export const letGo = { lockedBy: null, lockedUntil: null } as const;

/** Changes of what is proven in a job, with its new MAC; `undefined` when the broker did not write the job. */
export type Resealed = <Changes extends Partial<Pick<JobRow, "payload" | "requiredAction">>>(
  id: string,
  changes: Changes,
) => Promise<(Changes & { mac: string | null }) | undefined>;

/** What a worker writes of a job that it holds, by the fence of its hold. */
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
    /** Pushes the end of a hold; false when another worker has the job now. */
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
    /** Keeps what a job needs to go on after a crash; false when another worker has claimed it meanwhile. */
    setPayload: async (id: string, fence: number, payload: JobRow["payload"]): Promise<boolean> => {
      const changes = await sealed(id, { payload });
      return changes !== undefined && (await changeHeld(id, fence, changes));
    },
    /** Gives a job back to be run again at `runAfter`; false when another worker has claimed it meanwhile. */
    retry: (id: string, fence: number, runAfter: number, lastError: string): Promise<boolean> =>
      changeHeld(id, fence, { runAfter, ...letGo, lastError }),
    /** Like `retry`, and the run does not count as an attempt: it was not let through. */
    postpone: (id: string, fence: number, runAfter: number, lastError: string): Promise<boolean> =>
      changeHeld(id, fence, {
        runAfter,
        ...letGo,
        lastError,
        attempts: sql`${jobs.attempts} - 1`,
      }),
    /** Requires manual action, and is still run at `runAfter`; false when another worker has claimed it meanwhile. */
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
