import { ProviderError } from "@keyloan/contract";
import { integerOf, onlyCellOf } from "./cells.ts";
import { readOne, type Write, write, writeExpecting } from "./database.ts";
import type { DumpDefinition } from "./dump-format.ts";
import {
  type Content,
  countContent,
  dropOf,
  dropsAtOnce,
  isContentSql,
  listContent,
  removalOrder,
} from "./list-content.ts";
import { journalTable } from "./names.ts";
import type { LibsqlDatabase, Statement } from "./pipeline.ts";
import { tidyUp } from "./tidy-up.ts";
import { argumentsOf } from "./values.ts";

/*
 * A table in the database itself that lists what a load has made, written in the same transactions. Only what is listed
 * and still as it was made may be removed; everything else belongs to the user of the database.
 */

const roundsMax = 1000;
const what = "a note of what is being loaded";

const makeJournal: readonly Write[] = [
  { sql: `DROP TABLE IF EXISTS ${journalTable}`, what },
  {
    sql: `CREATE TABLE ${journalTable}(owner TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL, sql TEXT, unexpected INTEGER NOT NULL DEFAULT 0 CHECK(unexpected=0))`,
    what,
  },
];

/** Starts the journal if the database is empty, in one transaction. Returns false if the database has content. */
export async function beginJournal(database: LibsqlDatabase, owner: string): Promise<boolean> {
  const count = `SELECT count(*) FROM sqlite_schema WHERE ${isContentSql}`;
  return writeExpecting(
    database,
    [...makeJournal, noneUnexpected(owner, { sql: count })],
    makeJournal.length,
  );
}

/** Lists what an earlier statement of the same transaction has made, if it has exactly the text of the definition. */
export function noteOf(owner: string, { type, name, sql }: DumpDefinition): Write {
  return {
    sql: `INSERT INTO ${journalTable}(owner,type,name,sql) SELECT ?,type,name,sql FROM sqlite_schema WHERE type=? AND name=? AND sql=?`,
    args: argumentsOf([owner, type, name, sql]),
    what,
  };
}

/** Drops an owner's journal: from then on, nothing that the owner loaded can be taken back. */
export async function settle(database: LibsqlDatabase, owner: string): Promise<void> {
  if (!(await hasNotes(database, owner))) return;
  await write(database, [{ sql: `DROP TABLE IF EXISTS ${journalTable}`, what }]);
}

/**
 * Removes what an owner's load has made, unless it was changed since.
 * @returns how many other objects are there, which stay
 * @throws ProviderError
 */
export async function takeBack(database: LibsqlDatabase, owner: string): Promise<number> {
  if (!(await hasNotes(database, owner))) return countContent(database);
  for (const type of removalOrder) await removeNoted(database, owner, type);
  await tidyUp(database);
  return countContent(database);
}

async function removeNoted(database: LibsqlDatabase, owner: string, type: Content["type"]): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const noted = (await listContent(database, notedBy(owner))).filter((one) => one.type === type);
    if (await removeListed(database, owner, type, noted)) return;
  }
  throw new ProviderError(
    database.provider,
    "unavailable",
    "changed while content was being removed from it",
  );
}

/** Removes objects. Returns false if one differs from what was listed: the user may have replaced it. */
async function removeListed(
  database: LibsqlDatabase,
  owner: string,
  type: Content["type"],
  noted: readonly Content[],
): Promise<boolean> {
  for (let index = 0; index < noted.length; index += dropsAtOnce) {
    const found = noted.slice(index, index + dropsAtOnce);
    const expected = noneUnexpected(owner, missingOf(owner, type, found));
    if (!(await writeExpecting(database, [expected, ...found.map(dropOf)], 0))) return false;
  }
  return true;
}

/** Counts the objects that are no longer as the owner's load has made them. */
function missingOf(owner: string, type: Content["type"], found: readonly Content[]): Statement {
  const names = found.map(() => "?").join(",");
  return {
    sql: `SELECT ${found.length}-count(*) FROM sqlite_schema WHERE ${notedBy(owner).sql} AND type=? AND name IN (${names})`,
    args: argumentsOf([owner, type === "virtual" ? "table" : type, ...found.map(({ name }) => name)]),
  };
}

/** A condition on `sqlite_schema`: the owner's load has made the object, and it was not changed since. */
function notedBy(owner: string): Statement {
  return {
    sql: `EXISTS (SELECT 1 FROM ${journalTable} AS noted WHERE noted.owner=? AND noted.type=sqlite_schema.type AND noted.name=sqlite_schema.name AND noted.sql=sqlite_schema.sql)`,
    args: argumentsOf([owner]),
  };
}

/** A write that fails its transaction unless `count` gives 0. */
function noneUnexpected(owner: string, count: Statement): Write {
  return {
    sql: `INSERT INTO ${journalTable}(owner,type,name,unexpected) VALUES(?,'','',(${count.sql}))`,
    args: [...argumentsOf([owner]), ...(count.args ?? [])],
    what,
  };
}

/** Whether the database has a journal, and it is the owner's. */
async function hasNotes(database: LibsqlDatabase, owner: string): Promise<boolean> {
  const count = async (from: Statement) =>
    integerOf(
      database,
      onlyCellOf(await readOne(database, { ...from, sql: `SELECT count(*) FROM ${from.sql}` }, what)),
    );
  if ((await count({ sql: `sqlite_schema WHERE type='table' AND name='${journalTable}'` })) === 0)
    return false;
  return (await count({ sql: `${journalTable} WHERE owner=?`, args: argumentsOf([owner]) })) > 0;
}
