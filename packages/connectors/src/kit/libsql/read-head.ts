import { hexTextOf, integerOf, onlyCellOf, textOf } from "./cells.ts";
import { readOne, readRows } from "./database.ts";
import { notFaithful } from "./errors.ts";
import { type LibsqlDatabase, notLibsql } from "./pipeline.ts";
import type { SchemaBudget } from "./schema-budget.ts";

/** What is read of a database before its schema. */
export type DatabaseHead = {
  readonly userVersion: number;
  readonly applicationId: number;
};

/** Facts about the objects of a schema that their definitions do not tell. */
export type SchemaKinds = {
  /** What each table is: `table`, `view`, `virtual` or `shadow`. */
  readonly kinds: ReadonlyMap<string, string>;
  /** Indexes over vectors; libSQL keeps a table beside each. */
  readonly vectorIndexes: ReadonlySet<string>;
};

const what = "reading its schema";

export const vectorMetaTable = "libsql_vector_meta_shadow";

/** @throws ProviderError `rejected` for a database whose text is not UTF-8 */
export async function readHead(database: LibsqlDatabase): Promise<DatabaseHead> {
  const [userVersion, applicationId, encoding] = await readRows(
    database,
    [
      // Read as tables: a database whose writes are blocked treats the pragmas themselves as writes.
      "SELECT user_version FROM pragma_user_version",
      "SELECT application_id FROM pragma_application_id",
      "SELECT encoding FROM pragma_encoding",
    ],
    what,
  );
  if (!userVersion || !applicationId || !encoding) throw notLibsql(database);
  if (textOf(database, onlyCellOf(encoding)) !== "UTF-8") {
    throw notFaithful(database.provider, "its text is encoded in UTF-16");
  }
  return {
    userVersion: integerOf(database, onlyCellOf(userVersion)),
    applicationId: integerOf(database, onlyCellOf(applicationId)),
  };
}

/** Called once the definitions are known to be few enough, because the answer names each table again. */
export async function readKinds(database: LibsqlDatabase, budget: SchemaBudget): Promise<SchemaKinds> {
  const list = await readOne(
    database,
    "SELECT hex(name), type FROM pragma_table_list WHERE schema='main'",
    what,
  );
  const kinds = new Map(
    list.map((row) => {
      const name = hexTextOf(database, row[0]);
      if (name === undefined) throw notFaithful(database.provider, "a table has a name that is not UTF-8");
      const type = textOf(database, row[1]);
      budget.take([name, type]);
      return [name, type] as const;
    }),
  );
  // An app can write into that table, so only names of existing indexes count.
  const vectorSql = `SELECT hex(name) FROM sqlite_schema WHERE type='index' AND name IN (SELECT name FROM ${vectorMetaTable})`;
  const vectors = kinds.has(vectorMetaTable) ? await readOne(database, vectorSql, what) : [];
  return {
    kinds,
    vectorIndexes: new Set(vectors.map((row) => hexTextOf(database, row[0]) ?? "")),
  };
}
