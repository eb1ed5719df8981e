import type { JobState } from "@keyloan/contract";
import { and, eq, gt, inArray, isNull, lt, lte, notInArray, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { ClaimedJob } from "./jobs.ts";
import { pausedConnectors } from "./provider-limits.ts";
import { jobs } from "./schema.ts";

/** States in which a job may still be run: one that needs hands is too, when it has a time for that. */
export const openStates = ["waiting", "needs_hands"] as const satisfies readonly JobState[];

/** What a claimed job bears as its last error when the run before let go of nothing: its process ended under it. */
export const endedWithProcess = "ended with its process";

/** The query by which a worker takes jobs. */
export function claimsOf(database: Database) {
  const placeholder = (name: string) => sql`${sql.placeholder(name)}`;
  // A hold of more than twice the time was taken by a clock that has been set back since; of one that is only a
  // little ahead, as another broker's may be, it holds.
  const tooLate = sql`2 * ${placeholder("lockedUntil")} - ${placeholder("now")}`;
  const isFree = or(
    isNull(jobs.lockedUntil),
    lt(jobs.lockedUntil, placeholder("now")),
    gt(jobs.lockedUntil, tooLate),
  );
  const claims = new Map<string, ReturnType<typeof prepareClaim>>();
  const prepareClaim = (connectorId: string | null | undefined) => {
    const notPaused = or(
      isNull(jobs.connectorId),
      notInArray(jobs.connectorId, pausedConnectors(database, placeholder("now"))),
    );
    const calls = {
      any: undefined,
      none: isNull(jobs.connectorId),
      one: eq(jobs.connectorId, placeholder("connectorId")),
    };
    const due = database
      .select({ id: jobs.id })
      .from(jobs)
      .where(
        and(
          calls[kindOfClaim(connectorId)],
          eq(jobs.state, placeholder("state")),
          lte(jobs.runAfter, placeholder("now")),
          isFree,
          notPaused,
        ),
      )
      .orderBy(jobs.runAfter)
      .limit(sql.placeholder("limit"));
    return database
      .update(jobs)
      .set({
        lockedBy: placeholder("worker"),
        lockedUntil: placeholder("lockedUntil"),
        fence: sql`${jobs.fence} + 1`,
        attempts: sql`${jobs.attempts} + 1`,
        lastError: sql`CASE WHEN ${jobs.lockedBy} IS NULL THEN ${jobs.lastError} ELSE ${endedWithProcess} END`,
      })
      .where(and(inArray(jobs.id, due), isFree))
      .returning()
      .prepare();
  };
  return {
    /**
     * Takes up to `limit` due jobs that nobody holds and whose provider asks for no pause, the longest due first.
     * @param connectorId only jobs that call this provider, or with `null` only those that call none
     */
    claimDue: async (
      worker: string,
      now: number,
      lockedUntil: number,
      limit: number,
      connectorId?: string | null,
    ): Promise<ClaimedJob[]> => {
      const claim = claims.get(kindOfClaim(connectorId)) ?? prepareClaim(connectorId);
      claims.set(kindOfClaim(connectorId), claim);
      const rows: ClaimedJob[] = [];
      // One state after the other: so each is read from the index in order, and no further than needed.
      for (const state of openStates) {
        const left = limit - rows.length;
        if (left === 0) break;
        const values = { state, worker, now, lockedUntil, connectorId: connectorId ?? "", limit: left };
        rows.push(...(await claim.all(values)));
      }
      return rows;
    },
  };
}

const kindOfClaim = (connectorId: string | null | undefined) =>
  connectorId === undefined ? "any" : connectorId === null ? "none" : "one";
