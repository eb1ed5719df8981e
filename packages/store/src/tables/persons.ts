import type { TokenPermission } from "@keyloan/contract";
import { and, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { personBrowsers, persons, type StoredEnding } from "./schema.ts";

export type PersonRow = Omit<typeof persons.$inferSelect, "mac">;

export function personsTable(database: Database) {
  const endByBuild = database
    .update(persons)
    .set({ endedAt: sql`${sql.placeholder("endedAt")}` })
    .where(and(eq(persons.buildId, sql.placeholder("buildId")), isNull(persons.endedAt)))
    .prepare();
  return {
    /** The person of a build; `undefined` before the first save. */
    findByBuild: (buildId: string): Promise<PersonRow | undefined> =>
      database
        .select()
        .from(persons)
        .where(and(eq(persons.buildId, buildId), isNull(persons.endedAt)))
        .get(),
    find: (id: string): Promise<PersonRow | undefined> =>
      database.select().from(persons).where(eq(persons.id, id)).get(),
    findByRecovery: (recoveryHash: string): Promise<PersonRow | undefined> =>
      database.select().from(persons).where(eq(persons.recoveryHash, recoveryHash)).get(),
    /** Everyone that a browser has proven to be, newest first; also who has ended since. */
    listByBrowser: async (hash: string): Promise<PersonRow[]> => {
      const rows = await database
        .select({ person: persons })
        .from(personBrowsers)
        .innerJoin(persons, eq(persons.id, personBrowsers.personId))
        .where(eq(personBrowsers.hash, hash))
        .orderBy(desc(persons.createdAt), desc(persons.id));
      return rows.map(({ person }) => person);
    },
    insert: async (row: PersonRow): Promise<void> => {
      await database.insert(persons).values(row);
    },
    addBrowser: async (row: typeof personBrowsers.$inferInsert): Promise<void> => {
      await database.insert(personBrowsers).values(row).onConflictDoNothing();
    },
    /** The browser proves nothing for this build any more. */
    forgetBrowser: async (hash: string, buildId: string): Promise<void> => {
      const ofBuild = database.select({ id: persons.id }).from(persons).where(eq(persons.buildId, buildId));
      await database
        .delete(personBrowsers)
        .where(and(eq(personBrowsers.hash, hash), inArray(personBrowsers.personId, ofBuild)));
    },
    changeRecovery: async (id: string, recoveryHash: string): Promise<void> => {
      await database.update(persons).set({ recoveryHash }).where(eq(persons.id, id));
    },
    allow: async (id: string, allows: readonly TokenPermission[]): Promise<void> => {
      await database.update(persons).set({ allows }).where(eq(persons.id, id));
    },
    /** The build closes: there is nothing left to prove. */
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await endByBuild.run({ buildId, endedAt });
    },
    end: async (buildId: string, endedAt: number, ending: StoredEnding): Promise<void> => {
      await database
        .update(persons)
        .set({ endedAt, ending })
        .where(and(eq(persons.buildId, buildId), isNull(persons.endedAt)));
    },
  };
}
