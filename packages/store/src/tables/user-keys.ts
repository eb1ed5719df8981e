import { and, desc, eq, inArray, isNotNull, isNull, notInArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { bindings, persons, type StoredKeyCheck, transfers, userKeys, writtenObjects } from "./schema.ts";

export type UserKeyRow = typeof userKeys.$inferSelect;

export function userKeysTable(database: Database) {
  const removeByBuild = database
    .delete(userKeys)
    .where(eq(userKeys.buildId, sql.placeholder("buildId")))
    .prepare();
  /** What was written with keys that are gone is nobody's of ours any more. */
  const forgetWritten = async (buildId: string): Promise<void> => {
    const kept = database.select({ id: userKeys.id }).from(userKeys).where(eq(userKeys.buildId, buildId));
    await database
      .delete(writtenObjects)
      .where(and(eq(writtenObjects.buildId, buildId), notInArray(writtenObjects.userKeyId, kept)));
  };
  return {
    /** Newest first: the first of a connector is what the user saved last. */
    listByBuild: (buildId: string): Promise<UserKeyRow[]> =>
      database
        .select()
        .from(userKeys)
        .where(eq(userKeys.buildId, buildId))
        .orderBy(desc(userKeys.savedAt), desc(userKeys.id)),
    insert: async (row: UserKeyRow): Promise<void> => {
      await database.insert(userKeys).values(row);
    },
    recordCheck: async (id: string, check: StoredKeyCheck, checkedAt: number): Promise<void> => {
      await database.update(userKeys).set({ check, checkedAt }).where(eq(userKeys.id, id));
    },
    remove: async (buildId: string, id: string): Promise<void> => {
      await database.delete(userKeys).where(and(eq(userKeys.buildId, buildId), eq(userKeys.id, id)));
      await forgetWritten(buildId);
    },
    /** Gives what was saved before persons were known to a person. */
    claim: async (buildId: string, personId: string): Promise<void> => {
      await database
        .update(userKeys)
        .set({ personId })
        .where(and(eq(userKeys.buildId, buildId), isNull(userKeys.personId)));
    },
    /** Forgets what persons who have ended left behind, but for what the app, or a move of data, still uses. */
    removeLeftBehind: async (buildId: string): Promise<void> => {
      const ended = database
        .select({ id: persons.id })
        .from(persons)
        .where(and(eq(persons.buildId, buildId), isNotNull(persons.endedAt)));
      const inUse = database
        .select({ id: bindings.userKeyId })
        .from(bindings)
        .where(and(eq(bindings.buildId, buildId), isNotNull(bindings.userKeyId)));
      const moving = database
        .select({ id: transfers.userKeyId })
        .from(transfers)
        .where(
          and(eq(transfers.buildId, buildId), isNull(transfers.endedAt), isNotNull(transfers.userKeyId)),
        );
      await database
        .delete(userKeys)
        .where(
          and(
            eq(userKeys.buildId, buildId),
            inArray(userKeys.personId, ended),
            notInArray(userKeys.id, inUse),
            notInArray(userKeys.id, moving),
          ),
        );
      await forgetWritten(buildId);
    },
    removeByBuild: async (buildId: string): Promise<void> => {
      await removeByBuild.run({ buildId });
      await forgetWritten(buildId);
    },
  };
}
