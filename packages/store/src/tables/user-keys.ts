import { and, desc, eq, inArray, isNotNull, isNull, notInArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals, withoutMac } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { bindings, persons, transfers, userKeys, writtenObjects } from "./schema.ts";
import { type StoredKeyCheck, unreadableKeyCheck } from "./stored.ts";

export type UserKeyRow = Omit<typeof userKeys.$inferSelect, "mac">;

export function userKeysTable(database: Database, seals: Seals) {
  const { seal, reseal, isGenuine } = createRowSeal(seals, provenTables.userKeys);
  /** A key that the broker did not write is read as nobody's: it may stay in use, but nobody can read it. */
  const readRow = (row: typeof userKeys.$inferSelect): UserKeyRow => ({
    ...withoutMac(row),
    ...(isGenuine(row) ? {} : { personId: null, previews: {}, check: unreadableKeyCheck }),
  });
  /** Changes a key, if the broker wrote it. */
  const change = async (id: string, changes: Partial<UserKeyRow>): Promise<void> => {
    const row = await database.select().from(userKeys).where(eq(userKeys.id, id)).get();
    if (row === undefined || !isGenuine(row)) return;
    await database.update(userKeys).set(reseal(row, changes)).where(eq(userKeys.id, id));
  };
  const removeByBuild = database
    .delete(userKeys)
    .where(eq(userKeys.buildId, sql.placeholder("buildId")))
    .prepare();
  /** Forgets the objects that were written with keys that are gone: they are not ours any more. */
  const forgetWritten = async (buildId: string): Promise<void> => {
    const kept = database.select({ id: userKeys.id }).from(userKeys).where(eq(userKeys.buildId, buildId));
    await database
      .delete(writtenObjects)
      .where(and(eq(writtenObjects.buildId, buildId), notInArray(writtenObjects.userKeyId, kept)));
  };
  return {
    /** Newest first: the first of a connector is what the user saved last. */
    listByBuild: async (buildId: string): Promise<UserKeyRow[]> => {
      const rows = await database
        .select()
        .from(userKeys)
        .where(eq(userKeys.buildId, buildId))
        .orderBy(desc(userKeys.savedAt), desc(userKeys.id));
      return rows.map(readRow);
    },
    insert: async (row: UserKeyRow): Promise<void> => {
      await database.insert(userKeys).values(seal(row));
    },
    recordCheck: async (id: string, check: StoredKeyCheck, checkedAt: number): Promise<void> => {
      await change(id, { check, checkedAt });
    },
    remove: async (buildId: string, id: string): Promise<void> => {
      await database.delete(userKeys).where(and(eq(userKeys.buildId, buildId), eq(userKeys.id, id)));
      await forgetWritten(buildId);
    },
    /** Gives keys that are nobody's to a person who has ended: keys from before persons were known, or altered ones. */
    claim: async (buildId: string, personId: string): Promise<void> => {
      const rows = await database.select().from(userKeys).where(eq(userKeys.buildId, buildId));
      for (const row of rows.map(readRow)) {
        if (row.personId !== null) continue;
        const { id, previews, check } = row;
        await database
          .update(userKeys)
          .set(reseal(row, { personId, previews, check }))
          .where(eq(userKeys.id, id));
      }
    },
    /** Removes the keys of persons who have ended, except those that the app or an open transfer still uses. */
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
