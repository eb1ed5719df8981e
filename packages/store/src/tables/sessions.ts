import { and, desc, eq, gt, inArray, isNull, lt, ne, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { handoffs, sessions } from "./schema.ts";

export type SessionRow = Omit<typeof sessions.$inferSelect, "mac">;

export function sessionsTable(database: Database, seals: Seals) {
  const { seal, reseal, open, openAll } = createRowSeal(seals, provenTables.sessions);
  const find = async (id: string): Promise<SessionRow | undefined> =>
    open(await database.select().from(sessions).where(eq(sessions.id, id)).get());
  const endByBuild = database
    .update(sessions)
    .set({ endedAt: sql`${sql.placeholder("endedAt")}` })
    .where(and(eq(sessions.buildId, sql.placeholder("buildId")), isNull(sessions.endedAt)))
    .prepare();
  return {
    find,
    findByHash: async (hash: string): Promise<SessionRow | undefined> =>
      open(await database.select().from(sessions).where(eq(sessions.hash, hash)).get()),
    listByHashes: async (hashes: readonly string[]): Promise<SessionRow[]> =>
      openAll(
        await database
          .select()
          .from(sessions)
          .where(inArray(sessions.hash, [...hashes])),
      ),
    /** Newest first. */
    listByBuild: async (buildId: string, limit: number): Promise<SessionRow[]> =>
      openAll(
        await database
          .select()
          .from(sessions)
          .where(eq(sessions.buildId, buildId))
          .orderBy(desc(sessions.createdAt), desc(sessions.id))
          .limit(limit),
      ),
    insert: async (row: SessionRow): Promise<void> => {
      await database.insert(sessions).values(seal(row));
    },
    touch: async (id: string, lastUsedAt: number, expiresAt: number): Promise<void> => {
      await database
        .update(sessions)
        .set({ lastUsedAt, expiresAt })
        .where(and(eq(sessions.id, id), isNull(sessions.endedAt)));
    },
    /** Records that the session has proven to be this person. */
    prove: async (id: string, personId: string): Promise<void> => {
      const row = await find(id);
      if (row === undefined) return;
      await database.update(sessions).set(reseal(row, { personId })).where(eq(sessions.id, id));
    },
    /** False if the build has no such session; true also if the session had ended before. */
    end: async (id: string, buildId: string, endedAt: number): Promise<boolean> => {
      const result = await database
        .update(sessions)
        .set({ endedAt: sql`coalesce(${sessions.endedAt}, ${endedAt})` })
        .where(and(eq(sessions.id, id), eq(sessions.buildId, buildId)));
      return result.rowsAffected === 1;
    },
    /**
     * Keeps the newest `kept` of the open visits by the same person, or the same signed-in user, as this one, and ends
     * the others. Does nothing if this visit has neither, because nothing is known about who opened it.
     */
    endOldestOf: async (
      { buildId, personId, identity }: Pick<SessionRow, "buildId" | "personId" | "identity">,
      kept: number,
      now: number,
    ): Promise<void> => {
      if (personId === null && identity === null) return;
      const sameOpener =
        personId === null
          ? and(isNull(sessions.personId), eq(sessions.identity, identity ?? ""))
          : eq(sessions.personId, personId);
      const isOpen = and(isNull(sessions.endedAt), gt(sessions.expiresAt, now));
      const open = await database
        .select({ id: sessions.id })
        .from(sessions)
        .where(and(eq(sessions.buildId, buildId), isOpen, sameOpener))
        .orderBy(desc(sessions.createdAt), desc(sessions.id));
      const old = open.slice(kept).map(({ id }) => id);
      if (old.length === 0) return;
      await database.update(sessions).set({ endedAt: now }).where(inArray(sessions.id, old));
    },
    /**
     * Ends every visit of a person, except `keptId` if it is given.
     * @returns how many were not ended yet
     */
    endByPerson: async (personId: string, endedAt: number, keptId?: string): Promise<number> => {
      const isOther = keptId === undefined ? undefined : ne(sessions.id, keptId);
      const result = await database
        .update(sessions)
        .set({ endedAt })
        .where(and(eq(sessions.personId, personId), isNull(sessions.endedAt), isOther));
      return result.rowsAffected;
    },
    /** Ends every session of the build that has not proven to be this person. */
    endOthers: async (buildId: string, personId: string, endedAt: number): Promise<void> => {
      const isOther = or(isNull(sessions.personId), ne(sessions.personId, personId));
      await database
        .update(sessions)
        .set({ endedAt })
        .where(and(eq(sessions.buildId, buildId), isNull(sessions.endedAt), isOther));
    },
    /**
     * Ends the visits that have proven to be no person, of every build to which a caller made a link.
     * @returns how many were not ended yet
     */
    endUnproven: async (createdBy: string, endedAt: number): Promise<number> => {
      const linked = database
        .select({ buildId: handoffs.buildId })
        .from(handoffs)
        .where(eq(handoffs.createdBy, createdBy));
      const result = await database
        .update(sessions)
        .set({ endedAt })
        .where(and(inArray(sessions.buildId, linked), isNull(sessions.endedAt), isNull(sessions.personId)));
      return result.rowsAffected;
    },
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await endByBuild.run({ buildId, endedAt });
    },
    deleteExpired: async (before: number): Promise<void> => {
      await database.delete(sessions).where(lt(sessions.expiresAt, before));
    },
  };
}
