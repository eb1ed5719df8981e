import { and, eq, isNull, lt, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { sessions } from "./schema.ts";

export type SessionRow = typeof sessions.$inferSelect;

export function sessionsTable(database: Database) {
  const endByBuild = database
    .update(sessions)
    .set({ endedAt: sql`${sql.placeholder("endedAt")}` })
    .where(and(eq(sessions.buildId, sql.placeholder("buildId")), isNull(sessions.endedAt)))
    .prepare();
  return {
    findByHash: (hash: string): Promise<SessionRow | undefined> =>
      database.select().from(sessions).where(eq(sessions.hash, hash)).get(),
    insert: async (row: SessionRow): Promise<void> => {
      await database.insert(sessions).values(row);
    },
    touch: async (id: string, lastUsedAt: number, expiresAt: number): Promise<void> => {
      await database
        .update(sessions)
        .set({ lastUsedAt, expiresAt })
        .where(and(eq(sessions.id, id), isNull(sessions.endedAt)));
    },
    end: async (id: string, endedAt: number): Promise<void> => {
      await database.update(sessions).set({ endedAt }).where(eq(sessions.id, id));
    },
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await endByBuild.run({ buildId, endedAt });
    },
    deleteExpired: async (before: number): Promise<void> => {
      await database.delete(sessions).where(lt(sessions.expiresAt, before));
    },
  };
}
