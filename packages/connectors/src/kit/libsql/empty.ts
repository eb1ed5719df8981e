import { ProviderError } from "@keyloan/contract";
import { hexTextOf, integerOf, onlyCellOf, textOf } from "./cells.ts";
import { readOne, write } from "./database.ts";
import { isOwnTable, partsTable, quoteName, showName } from "./names.ts";
import { type LibsqlDatabase, runPipeline } from "./pipeline.ts";
import { vectorMetaTable } from "./read-head.ts";

const dropsAtOnce = 100;
const what = "a reading of its schema";

/** How many tables, indexes, views and triggers the app has made here. */
export async function countContent(database: LibsqlDatabase): Promise<number> {
  return (await listContent(database)).length;
}

/**
 * Removes everything.
 * @throws ProviderError when something does not go
 */
export async function empty(database: LibsqlDatabase): Promise<void> {
  // A table behind an index goes with it, so the rest is looked up again each time.
  for (const type of ["trigger", "view", "index", "virtual", "table"] as const) {
    const found = (await listContent(database)).filter((one) => one.type === type);
    for (let index = 0; index < found.length; index += dropsAtOnce) {
      await write(database, found.slice(index, index + dropsAtOnce).map(dropOf));
    }
  }
  const sequences = { sql: "DELETE FROM sqlite_sequence", what: "what AUTOINCREMENT counts" };
  if (await hasSequences(database)) await write(database, [sequences]);
  await write(database, [{ sql: `DROP TABLE IF EXISTS ${partsTable}`, what: "the end of emptying" }]);
  // Refused where nobody may set it; loading then tells when it matters.
  await runPipeline(database, ["PRAGMA user_version=0", "PRAGMA application_id=0"]);
  if ((await countContent(database)) === 0) return;
  throw new ProviderError(
    database.provider,
    "invalid_response",
    "still has content after everything was removed",
  );
}

type Content = {
  readonly type: "trigger" | "view" | "index" | "virtual" | "table";
  readonly name: string;
};

const types = ["trigger", "view", "index", "table"] as const;

async function listContent(database: LibsqlDatabase): Promise<readonly Content[]> {
  const rows = await readOne(
    database,
    "SELECT type, hex(name), sql LIKE 'CREATE VIRTUAL%' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' ORDER BY rowid",
    what,
  );
  return rows.flatMap((row) => {
    const type = types.find((one) => one === textOf(database, row[0]));
    const name = hexTextOf(database, row[1]);
    if (type === undefined || name === undefined) {
      throw new ProviderError(database.provider, "rejected", "has something whose name is not UTF-8", {
        remedy: "Remove it with the database's own tools, or choose a new database.",
      });
    }
    if (name === vectorMetaTable || isOwnTable(name)) return [];
    return [{ type: integerOf(database, row[2]) === 1 ? "virtual" : type, name }];
  });
}

function dropOf({ type, name }: Content) {
  const kind = type === "virtual" ? "TABLE" : type.toUpperCase();
  return {
    sql: `DROP ${kind} IF EXISTS ${quoteName(name)}`,
    what: `the end of the ${type} ${showName(name)}`,
  };
}

async function hasSequences(database: LibsqlDatabase): Promise<boolean> {
  const sql = "SELECT count(*) FROM sqlite_schema WHERE name='sqlite_sequence'";
  return integerOf(database, onlyCellOf(await readOne(database, sql, what))) > 0;
}
