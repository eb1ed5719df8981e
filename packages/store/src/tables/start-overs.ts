import type { StartOverState } from "@keyloan/contract";
import { and, asc, desc, eq, lte, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, firstGenuine, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { startOvers } from "./schema.ts";

export type StartOverRow = Omit<typeof startOvers.$inferSelect, "mac">;

type Ended = Exclude<StartOverState, "waiting">;

export function startOversTable(database: Database, seals: Seals) {
  const { seal, reseal, open, openAll } = createRowSeal(seals, provenTables.startOvers);
  const isWaiting = eq(startOvers.state, "waiting");
  const findWaiting = database
    .select()
    .from(startOvers)
    .where(and(eq(startOvers.buildId, sql.placeholder("buildId")), isWaiting))
    .prepare();
  const endRow = async (row: StartOverRow | undefined, state: Ended, endedAt: number): Promise<boolean> => {
    if (row?.state !== "waiting") return false;
    const result = await database
      .update(startOvers)
      .set(reseal(row, { state, endedAt }))
      .where(and(eq(startOvers.id, row.id), isWaiting));
    return result.rowsAffected === 1;
  };
  return {
    /** A build's waiting start over, even if another seems later because a clock was ahead; or else its latest. */
    findNewest: async (buildId: string): Promise<StartOverRow | undefined> =>
      open(await findWaiting.get({ buildId })) ??
      open(
        await database
          .select()
          .from(startOvers)
          .where(eq(startOvers.buildId, buildId))
          .orderBy(desc(startOvers.createdAt), desc(startOvers.id))
          .get(),
      ),
    listDue: async (now: number, limit: number): Promise<StartOverRow[]> =>
      firstGenuine(limit, async (offset) => {
        const due = and(isWaiting, lte(startOvers.dueAt, now));
        const page = database
          .select()
          .from(startOvers)
          .where(due)
          .orderBy(asc(startOvers.dueAt), startOvers.id);
        const rows = await page.limit(limit).offset(offset);
        return { rows: openAll(rows), isLast: rows.length < limit };
      }),
    insert: async (row: StartOverRow): Promise<void> => {
      await database.insert(startOvers).values(seal(row));
    },
    /** False if it has ended already: a start over that is done cannot be refused, nor the other way round. */
    end: async (id: string, state: Ended, endedAt: number): Promise<boolean> => {
      const row = await database.select().from(startOvers).where(eq(startOvers.id, id)).get();
      return endRow(open(row), state, endedAt);
    },
    /** Withdraws the waiting start over of a build that closes. */
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await endRow(open(await findWaiting.get({ buildId })), "withdrawn", endedAt);
    },
  };
}
