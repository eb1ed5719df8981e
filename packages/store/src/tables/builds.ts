import { assertTransition, type BuildState, buildTransitions } from "@keyloan/contract";
import { and, asc, desc, eq, inArray, isNull, lt, lte, notExists, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { isNamed } from "./cut.ts";
import { bindings, builds } from "./schema.ts";

export type BuildRow = typeof builds.$inferSelect;

/** Where the next page starts: after this row, newest first. */
export type TimeCursor = { readonly createdAt: number; readonly id: string };

/** The column that says when a build's time is over, by the build's state. */
const expiryColumns = [
  ["ready", "expiresAt"],
  ["provisioning", "expiresAt"],
  ["handing_off", "renewableUntil"],
  ["handed_off", "revertibleUntil"],
] as const;

/** When a build closes by itself, unless it is given more time; `undefined` when it is closing or closed. */
export function closesAt(build: BuildRow): number | undefined {
  const [, column] = expiryColumns.find(([state]) => state === build.state) ?? [];
  return column === undefined ? undefined : (build[column] ?? undefined);
}

/** States in which a build may use its user's own keys. */
const switchedStates = ["handing_off", "handed_off"] as const;

export function buildsTable(database: Database) {
  const find = database
    .select()
    .from(builds)
    .where(eq(builds.id, sql.placeholder("id")))
    .prepare();
  const expiries = expiryColumns.map(([state, column]) => {
    assertTransition(buildTransitions, state, "closing");
    const isOver = and(
      eq(builds.state, state),
      lte(builds[column], sql.placeholder("now")),
      isNamed(builds.id),
    );
    return {
      list: database
        .select({ id: builds.id })
        .from(builds)
        .where(isOver)
        .orderBy(asc(builds[column]))
        .limit(sql.placeholder("limit"))
        .prepare(),
      close: database
        .update(builds)
        .set({ state: "closing" })
        .where(and(eq(builds.id, sql.placeholder("id")), isOver))
        .prepare(),
    };
  });
  const markClosed = database
    .update(builds)
    .set({ state: "closed", closedAt: sql`${sql.placeholder("closedAt")}` })
    .where(and(eq(builds.id, sql.placeholder("id")), eq(builds.state, "closing")))
    .prepare();
  return {
    find: (id: string): Promise<BuildRow | undefined> => find.get({ id }),
    insert: async (row: BuildRow): Promise<void> => {
      await database.insert(builds).values(row);
    },
    list: (filter: { after?: TimeCursor; state?: BuildState; limit: number }): Promise<BuildRow[]> =>
      database
        .select()
        .from(builds)
        .where(
          and(
            filter.state === undefined ? undefined : eq(builds.state, filter.state),
            filter.after === undefined
              ? undefined
              : or(
                  lt(builds.createdAt, filter.after.createdAt),
                  and(eq(builds.createdAt, filter.after.createdAt), lt(builds.id, filter.after.id)),
                ),
          ),
        )
        .orderBy(desc(builds.createdAt), desc(builds.id))
        .limit(filter.limit),
    /** Ids of builds whose time is over: the time that applies in their state has passed. */
    listExpired: async (now: number, limit: number): Promise<string[]> => {
      const ids: string[] = [];
      // One query per state, so that each reads the index only as far as needed.
      for (const each of expiries) {
        if (ids.length === limit) break;
        const rows = await each.list.all({ now, limit: limit - ids.length });
        ids.push(...rows.map(({ id }) => id));
      }
      return ids;
    },
    /** Begins to close a build whose time is over; false if it is not over, for instance because it was extended. */
    closeExpired: async (id: string, now: number): Promise<boolean> => {
      for (const each of expiries) if ((await each.close.run({ id, now })).rowsAffected === 1) return true;
      return false;
    },
    /** Records one step of the settings page; false if another step came first. */
    changeSettings: async (
      id: string,
      expectedVersion: number,
      changes: Partial<
        Pick<BuildRow, "revertibleUntil" | "finishedAt" | "downloadedAt" | "adminRevert">
      > = {},
    ): Promise<boolean> => {
      const result = await database
        .update(builds)
        .set({ settingsVersion: expectedVersion + 1, ...changes })
        .where(and(eq(builds.id, id), eq(builds.settingsVersion, expectedVersion)));
      return result.rowsAffected === 1;
    },
    /** False when the build was not in one of the `from` states. */
    moveState: async (
      id: string,
      from: readonly BuildState[],
      to: BuildState,
      changes: Partial<Pick<BuildRow, "closedAt">> = {},
    ): Promise<boolean> => {
      for (const state of from) assertTransition(buildTransitions, state, to);
      const result = await database
        .update(builds)
        .set({ state: to, ...changes })
        .where(and(eq(builds.id, id), inArray(builds.state, [...from])));
      return result.rowsAffected === 1;
    },
    /** Closes a build once the last of its leases has ended; false if it was not closing. */
    markClosed: async (id: string, closedAt: number): Promise<boolean> =>
      (await markClosed.run({ id, closedAt })).rowsAffected === 1,
    /** Records that the user has downloaded the complete file; only the first download counts. */
    markDownloaded: async (id: string, downloadedAt: number): Promise<void> => {
      await database
        .update(builds)
        .set({ downloadedAt })
        .where(and(eq(builds.id, id), isNull(builds.downloadedAt)));
    },
    /**
     * Ids of builds that use only their user's own keys and whose time to go back is over: `revertibleUntil` has
     * passed, or `windowMs` have passed since the first download.
     */
    listLendingOver: async (now: number, windowMs: number, limit: number): Promise<string[]> => {
      const usesLent = database
        .select({ one: sql`1` })
        .from(bindings)
        .where(and(eq(bindings.buildId, builds.id), eq(bindings.source, "org")));
      const rows = await database
        .select({ id: builds.id })
        .from(builds)
        .where(
          and(
            inArray(builds.state, [...switchedStates]),
            isNull(builds.lendingEndedAt),
            isNamed(builds.id),
            or(lte(builds.revertibleUntil, now), lte(builds.downloadedAt, now - windowMs)),
            notExists(usesLent),
          ),
        )
        .limit(limit);
      return rows.map(({ id }) => id);
    },
    /** Ends lending and refuses older settings pages. False if it had ended, or the state is none of `switchedStates`. */
    endLending: async (id: string, lendingEndedAt: number): Promise<boolean> => {
      const result = await database
        .update(builds)
        .set({ lendingEndedAt, settingsVersion: sql`${builds.settingsVersion} + 1` })
        .where(
          and(eq(builds.id, id), inArray(builds.state, [...switchedStates]), isNull(builds.lendingEndedAt)),
        );
      return result.rowsAffected === 1;
    },
    setExpiry: async (id: string, expiresAt: number): Promise<boolean> => {
      const result = await database
        .update(builds)
        .set({ expiresAt })
        .where(and(eq(builds.id, id), inArray(builds.state, ["provisioning", "ready", "handing_off"])));
      return result.rowsAffected === 1;
    },
    countByState: (): Promise<{ state: BuildState; count: number }[]> =>
      database
        .select({ state: builds.state, count: sql<number>`count(*)` })
        .from(builds)
        .groupBy(builds.state),
  };
}
