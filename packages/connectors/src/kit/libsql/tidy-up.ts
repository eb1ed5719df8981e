import { integerOf, onlyCellOf } from "./cells.ts";
import { readOne, write } from "./database.ts";
import { countContent } from "./list-content.ts";
import { loadTables } from "./names.ts";
import { type LibsqlDatabase, runPipeline } from "./pipeline.ts";

/** Removes the rest of a load: counts of dropped tables, our own tables, and the two numbers of an empty database. */
export async function tidyUp(database: LibsqlDatabase): Promise<void> {
  if (await hasSequences(database)) await write(database, [forgetCounts("sqlite_schema")]);
  const own = loadTables.map((name) => ({
    sql: `DROP TABLE IF EXISTS ${name}`,
    what: "the last step of emptying",
  }));
  await write(database, own);
  if ((await countContent(database)) > 0) return;
  // Some servers refuse to set these; a later load then fails if it needs other numbers.
  await runPipeline(database, ["PRAGMA user_version=0", "PRAGMA application_id=0"]);
}

/** Removes the AUTOINCREMENT counts of all tables that are not in `schema`, which is SQL for after `FROM`. */
export function forgetCounts(schema: string) {
  return {
    sql: `DELETE FROM sqlite_sequence WHERE name NOT IN (SELECT name FROM ${schema})`,
    what: "what AUTOINCREMENT counts",
  };
}

async function hasSequences(database: LibsqlDatabase): Promise<boolean> {
  const sql = "SELECT count(*) FROM sqlite_schema WHERE name='sqlite_sequence'";
  return integerOf(database, onlyCellOf(await readOne(database, sql, "reading its schema"))) > 0;
}
