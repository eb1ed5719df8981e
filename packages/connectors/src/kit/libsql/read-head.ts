import { hexTextOf, integerOf, onlyCellOf, textOf } from "./cells.ts";
import { readOne, readRows } from "./database.ts";
import { notFaithful } from "./errors.ts";
import { type LibsqlDatabase, notLibsql } from "./pipeline.ts";

/** What is known of a database before its schema is read. */
export type DatabaseHead = {
  readonly userVersion: number;
  readonly applicationId: number;
  /** What each table is: `table`, `view`, `virtual` or `shadow`. */
  readonly kinds: ReadonlyMap<string, string>;
  /** Indexes over vectors; libSQL keeps a table beside each. */
  readonly vectorIndexes: ReadonlySet<string>;
};

export const vectorMetaTable = "libsql_vector_meta_shadow";

/** @throws ProviderError `rejected` for a database whose text is not UTF-8, or one that no connection can rebuild */
export async function readHead(database: LibsqlDatabase): Promise<DatabaseHead> {
  const what = "a reading of its schema";
  const [userVersion, applicationId, encoding, list] = await readRows(
    database,
    [
      // As tables: a database whose writes are blocked takes the pragmas themselves for writes.
      "SELECT user_version FROM pragma_user_version",
      "SELECT application_id FROM pragma_application_id",
      "SELECT encoding FROM pragma_encoding",
      "SELECT hex(name), type FROM pragma_table_list WHERE schema='main'",
    ],
    what,
  );
  if (!userVersion || !applicationId || !encoding || !list) throw notLibsql(database);
  if (textOf(database, onlyCellOf(encoding)) !== "UTF-8") {
    throw notFaithful(database.provider, "its text is encoded in UTF-16");
  }
  const kinds = new Map(
    list.map((row) => {
      const name = hexTextOf(database, row[0]);
      if (name === undefined) throw notFaithful(database.provider, "a table has a name that is not UTF-8");
      return [name, textOf(database, row[1])] as const;
    }),
  );
  const vectors = kinds.has(vectorMetaTable)
    ? await readOne(database, `SELECT hex(name) FROM ${vectorMetaTable}`, what)
    : [];
  return {
    userVersion: integerOf(database, onlyCellOf(userVersion)),
    applicationId: integerOf(database, onlyCellOf(applicationId)),
    kinds,
    vectorIndexes: new Set(vectors.map((row) => hexTextOf(database, row[0]) ?? "")),
  };
}
