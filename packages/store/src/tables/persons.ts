import { limits, type TokenPermission } from "@keyloan/contract";
import { and, desc, eq, inArray, isNotNull, isNull, lt, notInArray, or, type SQL } from "drizzle-orm";
import type { Database } from "../database.ts";
import { isOver } from "../is-over.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { timeMax } from "./columns.ts";
import { provenTables } from "./proven-tables.ts";
import { personBrowsers, persons } from "./schema.ts";
import type { StoredEnding } from "./stored.ts";

export type PersonRow = Omit<typeof persons.$inferSelect, "mac">;

type BrowserRow = Omit<typeof personBrowsers.$inferSelect, "mac">;
type NewBrowser = Omit<BrowserRow, "endsAt">;

/** How long a cookie still proves the person after it has been replaced. */
const formerMs = 3_600_000;
/** How long an ended cookie is kept: a visit that it opened may last that long, and can still ask to forget it. */
const visitMs = limits.sessionLifetimeSecondsMax * 1000;
/** The `endsAt` of a cookie that replaced one that was ending: only the use of the newest cookie ends it. */
const never = timeMax;

const isKnown = ({ endsAt }: BrowserRow, now: number): boolean =>
  endsAt === null || endsAt === never || !isOver({ createdAt: endsAt - formerMs, expiresAt: endsAt }, now);

/** All cookies of some browsers: a cookie that replaces another keeps its `createdAt`. */
const ofBrowsers = (rows: readonly BrowserRow[]): SQL | undefined =>
  or(
    ...rows.map(({ personId, createdAt }) =>
      and(eq(personBrowsers.personId, personId), eq(personBrowsers.createdAt, createdAt)),
    ),
  );

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
  const listKnown = async (where: SQL | undefined, now: number): Promise<BrowserRow[]> =>
    browsers
      .openAll(await database.select().from(personBrowsers).where(where))
      .filter((row) => isKnown(row, now));
  const endBrowser = async (row: BrowserRow, endsAt: number): Promise<void> => {
    const isRow = and(eq(personBrowsers.hash, row.hash), eq(personBrowsers.personId, row.personId));
    await database.update(personBrowsers).set(browsers.reseal(row, { endsAt })).where(isRow);
  };
  return {
    /** The person of a build; `undefined` before the first save. */
    findByBuild,
    find,
    findByRecovery: async (recoveryHash: string): Promise<PersonRow | undefined> =>
      open(await database.select().from(persons).where(eq(persons.recoveryHash, recoveryHash)).get()),
    /** All persons that a browser proves to be, newest first, including those who have ended. */
    listByBrowser: async (hash: string, now: number): Promise<PersonRow[]> => {
      const rows = await database
        .select({ person: persons, browser: personBrowsers })
        .from(personBrowsers)
        .innerJoin(persons, eq(persons.id, personBrowsers.personId))
        .where(eq(personBrowsers.hash, hash))
        .orderBy(desc(persons.createdAt), desc(persons.id));
      return rows.flatMap(({ person, browser }) => {
        const row = browsers.open(browser);
        return row !== undefined && isKnown(row, now) ? (open(person) ?? []) : [];
      });
    },
    insert: async (row: PersonRow): Promise<void> => {
      await database.insert(persons).values(seal(row));
    },
    addBrowser: async (row: NewBrowser): Promise<void> => {
      const sealed = browsers.seal({ ...row, endsAt: null });
      const { endsAt, mac } = sealed;
      const target = [personBrowsers.hash, personBrowsers.personId];
      await database
        .insert(personBrowsers)
        .values(sealed)
        .onConflictDoUpdate({ target, set: { endsAt, mac } });
      const ofPerson = eq(personBrowsers.personId, row.personId);
      const newest = database
        .selectDistinct({ createdAt: personBrowsers.createdAt })
        .from(personBrowsers)
        .where(ofPerson)
        .orderBy(desc(personBrowsers.createdAt))
        .limit(limits.browsersPerPersonMax);
      await database
        .delete(personBrowsers)
        .where(and(ofPerson, notInArray(personBrowsers.createdAt, newest)));
    },
    /**
     * A browser's next cookie proves what its old one does. The old one is valid for an hour more at most, as the answer
     * with the next may be lost, or cross another. A cookie that replaces an ending one ends when the newest is used.
     */
    moveBrowser: async (from: string, to: string, now: number): Promise<void> => {
      const rows = await listKnown(eq(personBrowsers.hash, from), now);
      for (const row of rows) await endBrowser(row, Math.min(row.endsAt ?? never, now + formerMs));
      const ids = rows.map(({ personId }) => personId);
      const isGone = and(inArray(personBrowsers.personId, ids), lt(personBrowsers.endsAt, now - visitMs));
      await database.delete(personBrowsers).where(isGone);
      const moved = rows.map((row) => ({ ...row, hash: to, endsAt: row.endsAt === null ? null : never }));
      if (moved.length > 0) await database.insert(personBrowsers).values(moved.map(browsers.seal));
    },
    /** Call it when a browser uses its newest cookie: ends those before it, and everything else that replaced them. */
    useBrowser: async (hash: string, now: number): Promise<void> => {
      const used = await listKnown(and(eq(personBrowsers.hash, hash), isNull(personBrowsers.endsAt)), now);
      if (used.length === 0) return;
      const former = await listKnown(and(ofBrowsers(used), isNotNull(personBrowsers.endsAt)), now);
      for (const row of former) await endBrowser(row, now);
    },
    /**
     * Removes a browser's cookies for this build, also those before and after this one, so that they prove nothing.
     * @param personId the person who may do this even with a cookie that has ended
     * @returns the ids of the persons that it proved
     */
    forgetBrowser: async (
      hash: string,
      buildId: string,
      now: number,
      personId: string | null,
    ): Promise<string[]> => {
      const ofBuild = database.select({ id: persons.id }).from(persons).where(eq(persons.buildId, buildId));
      const isIts = and(eq(personBrowsers.hash, hash), inArray(personBrowsers.personId, ofBuild));
      const rows = browsers.openAll(await database.select().from(personBrowsers).where(isIts));
      const known = rows.filter((row) => row.personId === personId || isKnown(row, now));
      if (known.length > 0) await database.delete(personBrowsers).where(ofBrowsers(known));
      return known.map((row) => row.personId);
    },
    /**
     * Removes all cookies of a person, so that no browser proves them any more.
     * @returns how many cookies there were
     */
    forgetBrowsers: async (personId: string): Promise<number> => {
      const result = await database.delete(personBrowsers).where(eq(personBrowsers.personId, personId));
      return result.rowsAffected;
    },
    changeRecovery: async (id: string, recoveryHash: string): Promise<void> => {
      await change(await find(id), { recoveryHash });
    },
    allow: async (id: string, allows: readonly TokenPermission[]): Promise<void> => {
      await change(await find(id), { allows });
    },
    /** Ends the person of a build that closes: there is nothing left to prove. */
    endByBuild: async (buildId: string, endedAt: number): Promise<void> => {
      await change(await findByBuild(buildId), { endedAt });
    },
    end: async (buildId: string, endedAt: number, ending: StoredEnding): Promise<void> => {
      await change(await findByBuild(buildId), { endedAt, ending });
    },
  };
}
