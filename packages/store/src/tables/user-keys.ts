import { and, desc, eq, inArray, isNotNull, isNull, notInArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { bindings, persons, transfers, userKeys, writtenObjects } from "./schema.ts";
import type { StoredKeyCheck } from "./stored.ts";

export type UserKeyRow = Omit<typeof userKeys.$inferSelect, "mac">;

const olderRows = 500;

export function userKeysTable(database: Database, seals: Seals) {
  const { macOf, open } = createRowSeal<typeof userKeys.$inferSelect>("user_keys", seals, (row) => ({
    id: row.id,
    buildId: row.buildId,
    connectorId: row.connectorId,
    personId: row.personId,
  }));
  /** One that the broker did not write so belongs to nobody: it may stay in use, and nobody reads it. */
  const readRow = ({ mac, ...row }: typeof userKeys.$inferSelect): UserKeyRow =>
    open({ ...row, mac }) ?? { ...row, personId: null };
  const setOwner = async (row: UserKeyRow, personId: string | null): Promise<void> => {
    const mac = macOf({ ...row, personId });
    await database.update(userKeys).set({ personId, mac }).where(eq(userKeys.id, row.id));
  };
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
    listByBuild: async (buildId: string): Promise<UserKeyRow[]> => {
      const rows = await database
        .select()
        .from(userKeys)
        .where(eq(userKeys.buildId, buildId))
        .orderBy(desc(userKeys.savedAt), desc(userKeys.id));
      return rows.map(readRow);
    },
    insert: async (row: UserKeyRow): Promise<void> => {
      await database.insert(userKeys).values({ ...row, mac: macOf(row) });
    },
    recordCheck: async (id: string, check: StoredKeyCheck, checkedAt: number): Promise<void> => {
      await database.update(userKeys).set({ check, checkedAt }).where(eq(userKeys.id, id));
    },
    remove: async (buildId: string, id: string): Promise<void> => {
      await database.delete(userKeys).where(and(eq(userKeys.buildId, buildId), eq(userKeys.id, id)));
      await forgetWritten(buildId);
    },
    /** Gives what is nobody's, as what was saved before persons were known, to a person. */
    claim: async (buildId: string, personId: string): Promise<void> => {
      const rows = await database.select().from(userKeys).where(eq(userKeys.buildId, buildId));
      for (const row of rows.map(readRow)) if (row.personId === null) await setOwner(row, personId);
    },
    /** Proves some rows from before there were MACs, and says whether any may be left. */
    proveOlder: async (): Promise<boolean> => {
      const rows = await database.select().from(userKeys).where(isNull(userKeys.mac)).limit(olderRows);
      for (const row of rows) await setOwner(row, row.personId);
      return rows.length === olderRows;
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
