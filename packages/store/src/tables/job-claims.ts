import type { JobState } from "@keyloan/contract";
import { and, eq, gt, inArray, isNull, lt, lte, notInArray, or, type SQL, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { withoutMac } from "../row-seal.ts";
import { isNamed } from "./cut.ts";
import type { ClaimedJob } from "./jobs.ts";
import { pausedConnectors } from "./provider-limits.ts";
import { jobs } from "./schema.ts";

/** States in which a job may still run: a job that requires action does too, at its `runAfter`. */
export const openStates = ["waiting", "requires_action"] as const satisfies readonly JobState[];

/** The last error of a claimed job whose previous run did not release it: its process ended during the run. */
export const endedWithProcess = "ended with its process";

/** The last error of a job that the broker did not write and that was therefore refused. */
export const alteredJob = "altered";

/** How many jobs that call one provider a worker has room for; `null` stands for jobs that call none. */
export type ClaimRoom = { readonly connectorId: string | null; readonly room: number };

export type Claim = {
  readonly worker: string;
  /** In milliseconds since the epoch, like every time here. */
  readonly now: number;
  readonly lockedUntil: number;
  readonly limit: number;
  /** If absent, takes jobs whatever provider they call. */
  readonly rooms?: readonly ClaimRoom[];
  /** Kinds of jobs that are not taken. */
  readonly without?: readonly string[];
};

/** What a statement's text depends on; the rest of a claim are the statement's values. */
type ClaimShape = {
  readonly rooms: readonly ClaimRoom[] | undefined;
  readonly without: readonly string[];
};

export type Claimed = {
  readonly jobs: readonly ClaimedJob[];
  /** The ids of due jobs that the broker did not write: they are failed from now on. */
  readonly refused: readonly string[];
};

/** The queries by which a worker takes jobs. @param isGenuine whether the broker wrote a row */
export function claimsOf(database: Database, isGenuine: (row: typeof jobs.$inferSelect) => boolean) {
  const placeholder = (name: string) => sql`${sql.placeholder(name)}`;
  // A hold that lasts more than twice as long as a new one was taken by a clock that has been set back since. A hold
  // whose clock is only a little ahead, as another broker's may be, counts.
  const tooLate = sql`2 * ${placeholder("lockedUntil")} - ${placeholder("now")}`;
  const isFree = or(
    isNull(jobs.lockedUntil),
    lt(jobs.lockedUntil, placeholder("now")),
    gt(jobs.lockedUntil, tooLate),
  );
  const notPaused = or(
    isNull(jobs.connectorId),
    notInArray(jobs.connectorId, pausedConnectors(database, placeholder("now"))),
  );
  // Each part is read from the index in order, and only as far as there is room; one query for all would have to sort.
  const duePart = (state: JobState, calls: SQL | undefined, limit: string, without: readonly string[]) => {
    const isDue = and(
      calls,
      without.length === 0 ? undefined : notInArray(jobs.kind, [...without]),
      isNamed(jobs.id),
      eq(jobs.state, state),
      lte(jobs.runAfter, placeholder("now")),
      isFree,
      notPaused,
    );
    const due = database
      .select({ id: jobs.id, runAfter: jobs.runAfter })
      .from(jobs)
      .where(isDue)
      .orderBy(jobs.runAfter)
      .limit(sql.placeholder(limit));
    return sql`SELECT * FROM ${due} AS part`;
  };
  const dueOf = (calls: SQL | undefined, limit: string, without: readonly string[]) => {
    const parts = openStates.map((state) => duePart(state, calls, limit, without));
    const open = sql.join(parts, sql` UNION ALL `);
    const most = sql.placeholder(limit);
    return sql`SELECT * FROM (SELECT * FROM (${open}) AS open ORDER BY run_after LIMIT ${most}) AS due`;
  };
  const partsOf = ({ rooms, without }: ClaimShape) => {
    if (rooms === undefined) return [dueOf(undefined, "limit", without)];
    return rooms.map(({ connectorId }, index) => {
      const one = eq(jobs.connectorId, placeholder(`connector${index}`));
      return dueOf(connectorId === null ? isNull(jobs.connectorId) : one, `room${index}`, without);
    });
  };
  const prepareClaim = (given: ClaimShape) => {
    const all = sql.join(partsOf(given), sql` UNION ALL `);
    const first = sql`(SELECT id FROM (${all}) AS "all" ORDER BY run_after LIMIT ${sql.placeholder("limit")})`;
    return database
      .update(jobs)
      .set({
        lockedBy: placeholder("worker"),
        lockedUntil: placeholder("lockedUntil"),
        fence: sql`${jobs.fence} + 1`,
        attempts: sql`${jobs.attempts} + 1`,
        lastError: sql`CASE WHEN ${jobs.lockedBy} IS NULL THEN ${jobs.lastError} ELSE ${endedWithProcess} END`,
      })
      .where(and(sql`${jobs.id} IN ${first}`, isFree))
      .returning({ id: jobs.id })
      .prepare();
  };
  const refuse = async (ids: readonly string[], endedAt: number): Promise<void> => {
    if (ids.length === 0) return;
    await database
      .update(jobs)
      .set({ state: "failed", lockedBy: null, lockedUntil: null, lastError: alteredJob, endedAt })
      .where(inArray(jobs.id, [...ids]));
  };
  const claims = new Map<string, ReturnType<typeof prepareClaim>>();
  return {
    /** Whether a job of one of these kinds is due. */
    isDue: async (kinds: readonly string[], now: number): Promise<boolean> => {
      const due = and(
        inArray(jobs.state, [...openStates]),
        lte(jobs.runAfter, now),
        inArray(jobs.kind, [...kinds]),
      );
      return (await database.select({ id: jobs.id }).from(jobs).where(due).limit(1)).length > 0;
    },
    /**
     * Takes due jobs that no worker holds and whose provider asks for no pause, the longest due first: at most `limit`,
     * and for each provider as many as there is room for. Uses one statement, however many providers there are.
     */
    claimDue: async ({ rooms, without = [], ...claim }: Claim): Promise<Claimed> => {
      const room = rooms?.map(({ connectorId }) => (connectorId === null ? "0" : "1")).join("") ?? "any";
      const shape = [room, ...without].join(" ");
      const statement = claims.get(shape) ?? prepareClaim({ rooms, without });
      claims.set(shape, statement);
      const perRoom = rooms?.flatMap(({ connectorId, room }, index) => [
        [`connector${index}`, connectorId ?? ""],
        [`room${index}`, room],
      ]);
      const claimed = await statement.all({
        ...claim,
        without: JSON.stringify(without),
        ...Object.fromEntries(perRoom ?? []),
      });
      if (claimed.length === 0) return { jobs: [], refused: [] };
      // Read by a second query: texts that an update returns end at their first NUL.
      const ids = claimed.map(({ id }) => id);
      const rows = await database.select().from(jobs).where(inArray(jobs.id, ids));
      const refused = rows.flatMap((row) => (isGenuine(row) ? [] : [row.id]));
      await refuse(refused, claim.now);
      return { jobs: rows.filter(({ id }) => !refused.includes(id)).map(withoutMac), refused };
    },
  };
}
