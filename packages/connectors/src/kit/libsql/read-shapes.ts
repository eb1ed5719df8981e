import { showName } from "@keyloan/contract";
import { hexTextOf, integerOf } from "./cells.ts";
import { readRows } from "./database.ts";
import { notFaithful } from "./errors.ts";
import { type LibsqlDatabase, notLibsql, type Rows } from "./pipeline.ts";
import type { SchemaBudget } from "./schema-budget.ts";
import { freeRowIdName, type TableShape } from "./table-shape.ts";

const tablesAtOnce = 40;
/** SQLite returns 2,000 columns at most, and some of them describe the others. */
const columnsMax = 1_990;

/**
 * How the named tables are read and filled.
 * @throws ProviderError `rejected` for a table without a way to name its row ids, or with no or too many columns
 */
export async function readShapes(
  database: LibsqlDatabase,
  names: readonly string[],
  budget: SchemaBudget,
): Promise<readonly TableShape[]> {
  const shapes: TableShape[] = [];
  for (let index = 0; index < names.length; index += tablesAtOnce) {
    const some = names.slice(index, index + tablesAtOnce);
    const results = await readRows(
      database,
      some.flatMap((name) => {
        const args = [JSON.stringify({ type: "text", value: name })];
        return [
          { sql: tableSql, args },
          { sql: columnsSql, args },
          { sql: keySql, args },
        ];
      }),
      "reading its tables",
    );
    for (const [at, name] of some.entries()) {
      const shape = shapeOf(database, name, results.slice(at * 3, at * 3 + 3));
      budget.take([...shape.columns, ...shape.key.map(({ column }) => column)]);
      shapes.push(shape);
    }
  }
  return shapes;
}

const tableSql = "SELECT wr FROM pragma_table_list WHERE schema='main' AND name=?";
const columnsSql =
  "SELECT hex(name), upper(type)='INTEGER', pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid";
const keySql =
  "SELECT hex(x.name), hex(x.coll) FROM pragma_index_list(?) AS l, pragma_index_xinfo(l.name) AS x WHERE l.origin='pk' AND x.key=1 ORDER BY x.seqno";

function shapeOf(database: LibsqlDatabase, name: string, results: readonly Rows[]): TableShape {
  const [table, columnRows, keyRows] = results;
  if (table?.length !== 1 || columnRows === undefined || keyRows === undefined) throw notLibsql(database);
  const withoutRowId = integerOf(database, table[0]?.[0]) === 1;
  const all = columnRows.map((row) => ({
    name: nameOf(database, name, row[0]),
    isInteger: integerOf(database, row[1]) === 1,
    isKey: integerOf(database, row[2]) > 0,
    hidden: integerOf(database, row[3]),
  }));
  const columns = all.filter(({ hidden }) => hidden === 0).map((column) => column.name);
  if (columns.length === 0)
    throw notFaithful(database.provider, `the table ${showName(name)} stores no columns`);
  const key = keyRows.map((row) => ({
    column: nameOf(database, name, row[0]),
    collation: nameOf(database, name, row[1]),
  }));
  if (columns.length + key.length > columnsMax) {
    throw notFaithful(database.provider, `the table ${showName(name)} has more than ${columnsMax} columns`);
  }
  if (withoutRowId) {
    if (key.length === 0) throw notLibsql(database);
    return { name, columns, key };
  }
  const keys = all.filter(({ isKey }) => isKey);
  // A primary key that has no index of its own is the row id under another name.
  const isRowId = keys.length === 1 && keys[0]?.isInteger === true && key.length === 0;
  const free = freeRowIdName(all.map((column) => column.name));
  if (free !== undefined) return { name, columns, rowId: { name: free, kept: !isRowId }, key: [] };
  throw notFaithful(database.provider, `the columns of the table ${showName(name)} hide its row ids`);
}

function nameOf(database: LibsqlDatabase, table: string, cell: Rows[number][number] | undefined): string {
  const name = hexTextOf(database, cell);
  if (name !== undefined) return name;
  throw notFaithful(database.provider, `the table ${showName(table)} has a column whose name is not UTF-8`);
}
