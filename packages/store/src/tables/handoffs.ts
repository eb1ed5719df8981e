import { and, countDistinct, desc, eq, gt, isNull, lt, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { handoffs } from "./schema.ts";

export type HandoffRow = Omit<typeof handoffs.$inferSelect, "mac">;

export function handoffsTable(database: Database, seals: Seals) {
  const { seal, open, openAll } = createRowSeal(seals, provenTables.handoffs);
  const expireUnused = database
    .update(handoffs)
    .set({ expiresAt: sql`${sql.placeholder("now")}` })
    .where(
      and(
        eq(handoffs.buildId, sql.placeholder("buildId")),
        isNull(handoffs.usedAt),
        gt(handoffs.expiresAt, sql.placeholder("now")),
      ),
    )
    .prepare();
  return {
    findByHash: async (hash: string): Promise<HandoffRow | undefined> =>
      open(await database.select().from(handoffs).where(eq(handoffs.hash, hash)).get()),
    /** Newest first. */
    listByBuild: async (buildId: string): Promise<HandoffRow[]> =>
      openAll(
        await database
          .select()
          .from(handoffs)
          .where(eq(handoffs.buildId, buildId))
          .orderBy(desc(handoffs.createdAt), desc(handoffs.id)),
      ),
    insert: async (row: HandoffRow): Promise<void> => {
      await database.insert(handoffs).values(seal(row));
    },
    /** False if it was used before or has expired: a link opens once, however many requests race. */
    markUsed: async (id: string, usedAt: number): Promise<boolean> => {
      const result = await database
        .update(handoffs)
        .set({ usedAt })
        .where(and(eq(handoffs.id, id), isNull(handoffs.usedAt), gt(handoffs.expiresAt, usedAt)));
      return result.rowsAffected === 1;
    },
    markRefused: async (id: string, refusedAt: number): Promise<void> => {
      await database.update(handoffs).set({ refusedAt }).where(eq(handoffs.id, id));
    },
    /** Ends the links of a build that were never opened. */
    expireUnused: async (buildId: string, now: number): Promise<void> => {
      await expireUnused.run({ buildId, now });
    },
    /**
     * Ends every link that one caller made, opened or not.
     * @returns how many builds any link of that caller leads to
     */
    expireByCreator: async (createdBy: string, now: number): Promise<number> => {
      await database
        .update(handoffs)
        .set({ expiresAt: now })
        .where(and(eq(handoffs.createdBy, createdBy), gt(handoffs.expiresAt, now)));
      const led = await database
        .select({ builds: countDistinct(handoffs.buildId) })
        .from(handoffs)
        .where(eq(handoffs.createdBy, createdBy))
        .get();
      return led?.builds ?? 0;
    },
    deleteExpired: async (before: number): Promise<void> => {
      await database.delete(handoffs).where(lt(handoffs.expiresAt, before));
    },
  };
}
