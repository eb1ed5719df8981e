import { limits, type TokenPermission } from "@keyloan/contract";
import { and, desc, eq, gt, inArray, isNull, ne, notInArray, or } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { personBrowsers, persons } from "./schema.ts";
import type { StoredEnding } from "./stored.ts";

export type PersonRow = Omit<typeof persons.$inferSelect, "mac">;

export function personsTable(database: Database, seals: Seals) {
  const { seal, reseal, open } = createRowSeal(seals, provenTables.persons);
  const browsers = createRowSeal(seals, provenTables.personBrowsers);
  const find = async (id: string): Promise<PersonRow | undefined> =>
    open(await database.select().from(persons).where(eq(persons.id, id)).get());
  const findByBuild = async (buildId: string): Promise<PersonRow | undefined> =>
    open(
      await database
        .select()
        .from(persons)
        .where(and(eq(persons.buildId, buildId), isNull(persons.endedAt)))
        .get(),
    );
  const change = async (row: PersonRow | undefined, values: Partial<PersonRow>): Promise<void> => {
    if (row === undefined) return;
    await database.update(persons).set(reseal(row, values)).where(eq(persons.id, row.id));
  };
  const isKnown = (now: number) => or(isNull(personBrowsers.endsAt), gt(personBrowsers.endsAt, now));
  return {
    /** The person of a build; `undefined` before the first save. */
    findByBuild,
    find,
    findByRecovery: async (recoveryHash: string): Promise<PersonRow | undefined> =>
      open(await database.select().from(persons).where(eq(persons.recoveryHash, recoveryHash)).get()),
    /** Everyone that a browser has proven to be, newest first; also who has ended since. */
    listByBrowser: async (hash: string, now: number): Promise<PersonRow[]> => {
      const rows = await database
        .select({ person: persons, browser: personBrowsers })
        .from(personBrowsers)
        .innerJoin(persons, eq(persons.id, personBrowsers.personId))
        .where(and(eq(personBrowsers.hash, hash), isKnown(now)))
        .orderBy(desc(persons.createdAt), desc(persons.id));
      return rows.flatMap(({ person, browser }) =>
        browsers.open(browser) === undefined ? [] : (open(person) ?? []),
      );
    },
    insert: async (row: PersonRow): Promise<void> => {
      await database.insert(persons).values(seal(row));
    },
    addBrowser: async (row: Omit<typeof personBrowsers.$inferSelect, "mac">): Promise<void> => {
      const sealed = browsers.seal(row);
      const { mac } = sealed;
      await database
        .insert(personBrowsers)
        .values(sealed)
        .onConflictDoUpdate({ target: [personBrowsers.hash, personBrowsers.personId], set: { mac } });
      const newest = database
        .select({ hash: personBrowsers.hash })
        .from(personBrowsers)
        .where(eq(personBrowsers.personId, row.personId))
        .orderBy(desc(personBrowsers.createdAt), desc(personBrowsers.hash))
        .limit(limits.browsersPerPersonMax);
      await database
        .delete(personBrowsers)
        .where(and(eq(personBrowsers.personId, row.personId), notInArray(personBrowsers.hash, newest)));
    },
    /**
     * What one cookie of a browser proves, its next one does, and the first no longer than until `endsAt`: the answer
     * that brings the next may be lost, or cross another.
     */
    moveBrowser: async (from: string, to: string, now: number, endsAt: number): Promise<void> => {
      const live = and(eq(personBrowsers.hash, from), isKnown(now));
      const rows = browsers.openAll(await database.select().from(personBrowsers).where(live));
      await database.delete(personBrowsers).where(eq(personBrowsers.hash, from));
      const kept = rows.map((row) => ({ ...row, endsAt: Math.min(row.endsAt ?? endsAt, endsAt) }));
      const moved = rows.map((row) => ({ ...row, hash: to, endsAt: null }));
      if (rows.length > 0)
        await database.insert(personBrowsers).values([...kept, ...moved].map(browsers.seal));
    },
    /** The browser proves nothing for this build any more. */
    forgetBrowser: async (hash: string, buildId: string): Promise<void> => {
      const ofBuild = database.select({ id: persons.id }).from(persons).where(eq(persons.buildId, buildId));
      await database
        .delete(personBrowsers)
        .where(and(eq(personBrowsers.hash, hash), inArray(personBrowsers.personId, ofBuild)));
    },
    /**
     * No browser but this one proves the person any more.
     * @returns how many did
     */
    forgetOtherBrowsers: async (personId: string, hash: string | undefined): Promise<number> => {
      const isOther = hash === undefined ? undefined : ne(personBrowsers.hash, hash);
      const result = await database
        .delete(personBrowsers)
        .where(and(eq(personBrowsers.personId, personId), isOther));
      return result.rowsAffected;
    },
    changeRecovery: async (id: string, recoveryHash: string): Promise<void> => {
      await change(await find(id), { recoveryHash });
    },
    allow: async (id: string, allows: readonly TokenPermission[]): Promise<void> => {
      await change(await find(id), { allows });
    },
    /** The build closes: there is nothing left to prove. */
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await change(await findByBuild(buildId), { endedAt });
    },
    end: async (buildId: string, endedAt: number, ending: StoredEnding): Promise<void> => {
      await change(await findByBuild(buildId), { endedAt, ending });
    },
  };
}
