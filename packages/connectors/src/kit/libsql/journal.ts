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
 * A table in the database itself that says what a load has made, written in the transactions that make it. What stands
 * in it, and is still as it was made, is ours; nothing else in somebody's database ever is.
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

/** Begins to write down what is made, if nothing is there. Both is one transaction: false when something is. */
export async function beginJournal(database: LibsqlDatabase, owner: string): Promise<boolean> {
  const count = `SELECT count(*) FROM sqlite_schema WHERE ${isContentSql}`;
  return writeExpecting(
    database,
    [...makeJournal, noneUnexpected(owner, { sql: count })],
    makeJournal.length,
  );
}

/** Writes down what a statement before it, in the same transaction, has made: only what has exactly this text. */
export function noteOf(owner: string, { type, name, sql }: DumpDefinition): Write {
  return {
    sql: `INSERT INTO ${journalTable}(owner,type,name,sql) SELECT ?,type,name,sql FROM sqlite_schema WHERE type=? AND name=? AND sql=?`,
    args: argumentsOf([owner, type, name, sql]),
    what,
  };
}

/** Forgets what was written down for an owner: from now on nothing here is theirs. */
export async function settle(database: LibsqlDatabase, owner: string): Promise<void> {
  if (!(await hasNotes(database, owner))) return;
  await write(database, [{ sql: `DROP TABLE IF EXISTS ${journalTable}`, what }]);
}

/**
 * Removes what an owner has made and is still as it was made.
 * @returns how much else is there, and stays
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

/** False when one is no longer what was listed: somebody may have put something of theirs in its place. */
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

/** Counts those that are no longer what the owner has made. */
function missingOf(owner: string, type: Content["type"], found: readonly Content[]): Statement {
  const names = found.map(() => "?").join(",");
  return {
    sql: `SELECT ${found.length}-count(*) FROM sqlite_schema WHERE ${notedBy(owner).sql} AND type=? AND name IN (${names})`,
    args: argumentsOf([owner, type === "virtual" ? "table" : type, ...found.map(({ name }) => name)]),
  };
}

/** Of `sqlite_schema`: what the owner has made, and nobody has changed. */
function notedBy(owner: string): Statement {
  return {
    sql: `EXISTS (SELECT 1 FROM ${journalTable} AS noted WHERE noted.owner=? AND noted.type=sqlite_schema.type AND noted.name=sqlite_schema.name AND noted.sql=sqlite_schema.sql)`,
    args: argumentsOf([owner]),
  };
}

/** Fails its transaction unless the statement counts none. */
function noneUnexpected(owner: string, count: Statement): Write {
  return {
    sql: `INSERT INTO ${journalTable}(owner,type,name,unexpected) VALUES(?,'','',(${count.sql}))`,
    args: [...argumentsOf([owner]), ...(count.args ?? [])],
    what,
  };
}

/** Whether the notes that are there, if any, are the owner's. */
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
