import { ProviderError, showName } from "@keyloan/contract";
import { integerOf, integerTextOf, onlyCellOf, textOf } from "./cells.ts";
import { readOne } from "./database.ts";
import { joinTerms } from "./join-terms.ts";
import { quoteName } from "./names.ts";
import { type Cell, type LibsqlDatabase, notLibsql, type Statement } from "./pipeline.ts";
import { largeBytesOf, type TableShape } from "./table-shape.ts";
import { readValue, typeCodeSql, valueSql } from "./typed-values.ts";
import { isSmall, type Placed, placeValue } from "./values.ts";

const pageBytesMax = 1024 * 1024;
const pageCellsMax = 30_000;
const pageRowsMax = 5_000;

/** One row: its place in the table, and the values that were requested. */
export type ReadRow = { readonly place: readonly Cell[]; readonly cells: readonly Cell[] };

/**
 * Reads a table in the order of its key, a page of limited size at a time. The next page is requested while the caller
 * processes one. Nothing may write to the table meanwhile.
 * @param projection what is requested of every row in addition to its place, as SQL
 * @throws ProviderError `invalid_response` when the pages do not add up to the number of rows of the table
 */
export async function* readPages(
  database: LibsqlDatabase,
  shape: TableShape,
  projection: readonly string[],
): AsyncGenerator<readonly ReadRow[]> {
  const what = `reading the table ${showName(shape.name)}`;
  const count = await countRows(database, shape);
  const width = placeWidth(shape);
  const columns = width + projection.length;
  const fetchPage = (after: readonly Placed[] | undefined) => {
    const page = readOne(database, pageStatement(shape, projection, after), what);
    // A failure is thrown only when this page is awaited; until then it must not count as unhandled.
    page.catch(() => undefined);
    return page;
  };
  let seen = 0;
  let next = fetchPage(undefined);
  for (;;) {
    const rows = await next;
    const last = rows.at(-1);
    if (last === undefined) break;
    seen += rows.length;
    if (seen > count || rows.some((row) => row.length !== columns)) throw strangeTable(database, shape);
    next = fetchPage(keyOf(database, shape, last));
    yield rows.map((row) => ({ place: row.slice(0, width), cells: row.slice(width) }));
  }
  if (seen !== count) throw strangeTable(database, shape);
}

/** How many rows a table has, as the database counts them. */
export async function countRows(
  database: LibsqlDatabase,
  { name }: Pick<TableShape, "name">,
): Promise<number> {
  const what = `counting the table ${showName(name)}`;
  const rows = await readOne(database, `SELECT count(*) FROM ${quoteName(name)}`, what);
  return integerOf(database, onlyCellOf(rows));
}

/** The parts of one large value. `wrap` makes the SQL of a part from the SQL of its bytes, such as `hex(…)`. */
export async function* readParts(
  database: LibsqlDatabase,
  shape: TableShape,
  part: { readonly column: string; readonly place: readonly Cell[]; readonly bytes: number },
  wrap: (slice: string) => string,
): AsyncGenerator<Cell> {
  const what = `a value of the table ${showName(shape.name)}`;
  const { sql, args } = placeCondition(shape, keyOf(database, shape, part.place));
  for (let offset = 0; offset < part.bytes; offset += partBytesMax) {
    const slice = `substr(CAST(${quoteName(part.column)} AS BLOB),${offset + 1},${partBytesMax})`;
    const select = `SELECT ${wrap(slice)} FROM ${quoteName(shape.name)} WHERE ${sql}`;
    const cell = onlyCellOf(await readOne(database, { sql: select, args }, what));
    if (cell === undefined) throw strangeTable(database, shape);
    yield cell;
  }
}

export const partBytesMax = 512 * 1024;

export function strangeTable({ provider }: LibsqlDatabase, { name }: TableShape): ProviderError {
  return new ProviderError(
    provider,
    "invalid_response",
    `does not return the rows that the table ${showName(name)} counts`,
    { remedy: "Make sure that nothing writes to the database meanwhile, and try again." },
  );
}

function pageStatement(
  shape: TableShape,
  projection: readonly string[],
  after: readonly Placed[] | undefined,
): Statement {
  const order = keySql(shape).join(",");
  const where = after === undefined ? { sql: "TRUE", args: [] } : afterCondition(shape, after);
  const from = `FROM ${quoteName(shape.name)} WHERE ${where.sql} ORDER BY ${order}`;
  const rows = Math.max(20, Math.min(pageRowsMax, Math.floor(pageCellsMax / (shape.columns.length + 2))));
  // As many rows as the byte limit allows, at least one. SQLite knows lengths without reading long values.
  const sizes = `SELECT ${sizeSql(shape)} AS size ${from} LIMIT ${rows}`;
  const sums = `SELECT sum(size) OVER (ROWS UNBOUNDED PRECEDING) AS total FROM (${sizes})`;
  const fitting = `SELECT count(*) FROM (${sums}) WHERE total<=${pageBytesMax}`;
  return {
    sql: `SELECT ${[...placeSql(shape), ...projection].join(",")} ${from} LIMIT max(1,(${fitting}))`,
    args: where.args,
  };
}

/** The SQL for the place of a row: its row id, or the types and values of its key. */
function placeSql(shape: TableShape): readonly string[] {
  if (shape.rowId !== undefined) return [shape.rowId.name];
  const names = shape.key.map(({ column }) => quoteName(column));
  const never = Number.MAX_SAFE_INTEGER;
  return [
    joinTerms(
      names.map((name) => typeCodeSql(name, never)),
      "||",
    ),
    ...names.map((name) => valueSql(name, never)),
  ];
}

function placeWidth(shape: TableShape): number {
  return shape.rowId === undefined ? shape.key.length + 1 : 1;
}

function keySql(shape: TableShape): readonly string[] {
  if (shape.rowId !== undefined) return [shape.rowId.name];
  return shape.key.map(({ column, collation }) => `${quoteName(column)} COLLATE ${quoteName(collation)}`);
}

function keyOf(database: LibsqlDatabase, shape: TableShape, place: readonly Cell[]): readonly Placed[] {
  if (shape.rowId !== undefined) {
    return [{ sql: "?", arg: `{"type":"integer","value":"${integerTextOf(database, place[0])}"}` }];
  }
  const codes = textOf(database, place[0]);
  if (codes.length !== shape.key.length) throw notLibsql(database);
  return [...codes].map((code, index) => {
    const value = readValue(database, code, place[index + 1]);
    if (!isSmall(value)) throw notLibsql(database);
    return placeValue(value);
  });
}

type Condition = { readonly sql: string; readonly args: readonly string[] };

function afterCondition(shape: TableShape, key: readonly Placed[]): Condition {
  const placed = numbered(key);
  return { sql: `(${keySql(shape).join(",")})>(${placed.sql.join(",")})`, args: placed.args };
}

function placeCondition(shape: TableShape, key: readonly Placed[]): Condition {
  const placed = numbered(key);
  const terms = keySql(shape).map((term, index) => `${term} IS ${placed.sql[index] ?? "NULL"}`);
  return { sql: terms.join(" AND "), args: placed.args };
}

/** The condition occurs twice in a statement, so its arguments are numbered. */
function numbered(key: readonly Placed[]): {
  readonly sql: readonly string[];
  readonly args: readonly string[];
} {
  const args: string[] = [];
  const sql = key.map((placed) => {
    if (placed.arg === undefined) return placed.sql;
    args.push(placed.arg);
    return placed.sql.replace("?", `?${args.length}`);
  });
  return { sql, args };
}

function sizeSql(shape: TableShape): string {
  const large = largeBytesOf(shape);
  const sizes = shape.columns.map((column) => `min(ifnull(octet_length(${quoteName(column)}),0),${large})`);
  const keys = shape.key.map(({ column }) => `ifnull(octet_length(${quoteName(column)}),0)`);
  return joinTerms(["16", ...sizes, ...keys], "+");
}
