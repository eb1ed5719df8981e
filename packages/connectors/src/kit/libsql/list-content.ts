import { ProviderError, showName } from "@keyloan/contract";
import { hexTextOf, integerOf, onlyCellOf, textOf } from "./cells.ts";
import { readOne, type Write } from "./database.ts";
import { isOwnTableSql, quoteName } from "./names.ts";
import type { LibsqlDatabase, Statement } from "./pipeline.ts";
import { vectorMetaTable } from "./read-head.ts";

const what = "reading its schema";

/** A condition on `sqlite_schema`: the object is neither the database's own nor a temporary one of this package. */
export const isContentSql = `sql IS NOT NULL AND name NOT GLOB 'sqlite_*' AND name<>'${vectorMetaTable}' AND NOT ${isOwnTableSql}`;

/** How many tables, indexes, views and triggers the app has made here. */
export async function countContent(database: LibsqlDatabase): Promise<number> {
  const sql = `SELECT count(*) FROM sqlite_schema WHERE ${isContentSql}`;
  return integerOf(database, onlyCellOf(await readOne(database, sql, what)));
}

/** The order of removal. Removing an index also removes the tables behind it. */
export const removalOrder = ["trigger", "view", "index", "virtual", "table"] as const;

export type Content = { readonly type: (typeof removalOrder)[number]; readonly name: string };

const types = ["trigger", "view", "index", "table"] as const;

/** @param which a condition on `sqlite_schema` that selects content; absent: all of it */
export async function listContent(
  database: LibsqlDatabase,
  which: Statement = { sql: "true" },
): Promise<readonly Content[]> {
  const sql = `SELECT type, hex(name), sql LIKE 'CREATE VIRTUAL%' FROM sqlite_schema WHERE ${isContentSql} AND ${which.sql} ORDER BY rowid`;
  const rows = await readOne(database, { ...which, sql }, what);
  return rows.map((row) => {
    const type = types.find((one) => one === textOf(database, row[0]));
    const name = hexTextOf(database, row[1]);
    if (type === undefined || name === undefined) {
      throw new ProviderError(database.provider, "rejected", "has an object whose name is not UTF-8", {
        remedy: "Remove it with the database's own tools, or choose a new database.",
      });
    }
    return { type: integerOf(database, row[2]) === 1 ? "virtual" : type, name };
  });
}

/** How many objects are dropped in one transaction. */
export const dropsAtOnce = 100;

export function dropOf({ type, name }: Content): Write {
  const kind = type === "virtual" ? "TABLE" : type.toUpperCase();
  return {
    sql: `DROP ${kind} IF EXISTS ${quoteName(name)}`,
    what: `removing the ${type} ${showName(name)}`,
  };
}
