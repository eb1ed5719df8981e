import { newId, type Secret } from "@keyloan/contract";
import type { PersonRow, SessionRow, Tables } from "@keyloan/store";
import type { ReadToken } from "../../auth/tokens.ts";
import { bySystem, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";

/** The cookie that a browser brought, when it is one of ours. */
export type Browser = Pick<ReadToken, "hash" | "isProven">;

/** What the one who has become the person is given, once. */
export type Became = {
  readonly person: PersonRow;
  readonly recovery: Secret;
};

/**
 * Makes the visitor of a session the person of its build, in the transaction of the first save. Call it when there
 * is none.
 */
export async function becomePerson(deps: Deps, tx: Unit, session: SessionRow): Promise<Became> {
  const { id: sessionId, buildId } = session;
  const { token: recovery, hash: recoveryHash } = deps.tokens.make("recovery", buildId);
  const person: PersonRow = {
    id: newId("person", deps.randomBytes),
    buildId,
    identity: session.identity,
    recoveryHash,
    allows: [],
    createdAt: deps.now(),
    endedAt: null,
    ending: null,
  };
  await tx.persons.insert(person);
  await tx.sessions.prove(sessionId, person.id);
  tx.audit("person.began", buildId, { personId: person.id, identity: person.identity });
  return { person, recovery };
}

/**
 * Lets a browser prove a person from now on, by a new cookie: who knew the one from before, on a machine that several
 * use, would be the person too. What that one proved the new one does as well, and it proves nothing new.
 * @returns the cookie to set
 */
export async function rememberBrowser(
  deps: Deps,
  tables: Tables,
  personId: string,
  browser: Browser | undefined,
): Promise<Secret> {
  const { token, hash } = deps.tokens.make("person");
  const now = deps.now();
  if (browser !== undefined) await tables.persons.moveBrowser(browser.hash, hash, now);
  await tables.persons.addBrowser({ hash, personId, createdAt: now });
  return token;
}

/**
 * Lets the browser in which the person acts prove them later, when it does not yet: the answer that set its cookie
 * may have been lost. Where a cookie opened the visit there was one, and who has none had a copy of it.
 * @returns the cookie to set, if any
 */
export async function keepBrowser(
  deps: Deps,
  tables: Tables,
  person: PersonRow,
  { openedBy }: Pick<SessionRow, "openedBy">,
  browser: Browser | undefined,
): Promise<Secret | undefined> {
  if (browser !== undefined) await tables.persons.useBrowser(browser.hash, deps.now());
  const known = await knownAs(deps, tables, browser, person.buildId);
  if (openedBy === "browser" || known.some(({ id }) => id === person.id)) return undefined;
  return rememberBrowser(deps, tables, person.id, browser);
}

/**
 * Everyone that a browser has proven to be, newest first. A cookie that proves nothing has ended: its browser has a newer
 * one, or was told to forget.
 */
export async function personsOf(
  { store, callers, now }: Pick<Deps, "store" | "callers" | "now">,
  browser: Browser | undefined,
): Promise<readonly PersonRow[]> {
  if (browser === undefined) return [];
  const persons = await store.read.persons.listByBrowser(browser.hash, now());
  if (persons.length === 0) callers.end(browser);
  else callers.remember(browser.hash, bySystem("handoff").actor);
  return persons;
}

/** Everyone that the browser has proven to be for a build, newest first. */
export async function knownAs(
  { now }: Pick<Deps, "now">,
  tables: Tables,
  browser: Browser | undefined,
  buildId: string,
): Promise<readonly PersonRow[]> {
  if (browser === undefined) return [];
  return (await tables.persons.listByBrowser(browser.hash, now())).filter(
    (person) => person.buildId === buildId,
  );
}

/** The hash of a cookie of ours that names a browser. */
export function browserOf(deps: Pick<Deps, "tokens">, text: string | undefined): Browser | undefined {
  return deps.tokens.read(text ?? "", ["person"]);
}
