import type { StartOverState } from "@keyloan/contract";
import { and, asc, desc, eq, lte, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { startOvers } from "./schema.ts";

export type StartOverRow = typeof startOvers.$inferSelect;

export function startOversTable(database: Database) {
  const endByBuild = database
    .update(startOvers)
    .set({ state: "withdrawn", endedAt: sql`${sql.placeholder("endedAt")}` })
    .where(and(eq(startOvers.buildId, sql.placeholder("buildId")), eq(startOvers.state, "waiting")))
    .prepare();
  return {
    /** The one of a build that was asked for last, however it ended. */
    findNewest: (buildId: string): Promise<StartOverRow | undefined> =>
      database
        .select()
        .from(startOvers)
        .where(eq(startOvers.buildId, buildId))
        .orderBy(desc(startOvers.createdAt), desc(startOvers.id))
        .get(),
    listDue: (now: number, limit: number): Promise<StartOverRow[]> =>
      database
        .select()
        .from(startOvers)
        .where(and(eq(startOvers.state, "waiting"), lte(startOvers.dueAt, now)))
        .orderBy(asc(startOvers.dueAt))
        .limit(limit),
    insert: async (row: StartOverRow): Promise<void> => {
      await database.insert(startOvers).values(row);
    },
    /** False when it has ended already: one that is done cannot be refused, nor the other way round. */
    end: async (id: string, state: Exclude<StartOverState, "waiting">, endedAt: number): Promise<boolean> => {
      const result = await database
        .update(startOvers)
        .set({ state, endedAt })
        .where(and(eq(startOvers.id, id), eq(startOvers.state, "waiting")));
      return result.rowsAffected === 1;
    },
    /** One that waits for a build which closes is of no use any more. */
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await endByBuild.run({ buildId, endedAt });
    },
  };
}
