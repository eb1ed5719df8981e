import { showName } from "@keyloan/contract";
import { type Write, write } from "./database.ts";
import type { DumpDefinition, DumpTable } from "./dump-format.ts";
import { noteOf } from "./journal.ts";
import { journalTable, partsTable, quoteName } from "./names.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { forgetCounts } from "./tidy-up.ts";
import { type DumpValue, isSmall, type Placed, partBytes, placeValue } from "./values.ts";

const requestBytesMax = 512 * 1024;
const statementBytesMax = 256 * 1024;
const statementArgumentsMax = 10_000;

/** Takes the content of a dump in order, and writes it in transactions of limited size. */
export type RowWriter = {
  /** Makes a table. Ignores other definitions, which are made later. */
  readonly define: (definition: DumpDefinition | undefined) => Promise<void>;
  /** Sets the table of the rows that follow. */
  readonly table: (table: DumpTable) => Promise<void>;
  readonly part: (base64: string) => Promise<void>;
  readonly row: (values: readonly DumpValue[]) => Promise<void>;
  /** The name of the table that is being written, for the progress. */
  readonly item: () => { readonly item?: string };
  readonly count: () => number;
  /** Waits until everything is written. */
  readonly finish: () => Promise<void>;
  /** Waits until the transaction under way has ended, whether it succeeded or failed. */
  readonly settle: () => Promise<void>;
};

type State = {
  readonly database: LibsqlDatabase;
  table: DumpTable | undefined;
  /** The rows of the current statement: the SQL of each, and their arguments. */
  rows: string[];
  args: string[];
  rowBytes: number;
  writes: Write[];
  bytes: number;
  count: number;
  /** The size in bytes of each part that was staged since the last row. */
  parts: number[];
  /** The transaction under way: the next one is filled while this one is written. */
  underWay: Promise<void>;
};

/** @param owner the owner of the tables, which the journal names for each */
export function createRowWriter(database: LibsqlDatabase, owner: string): RowWriter {
  const state: State = {
    database,
    table: undefined,
    rows: [],
    args: [],
    rowBytes: 0,
    writes: [],
    bytes: 0,
    count: 0,
    parts: [],
    underWay: Promise.resolve(),
  };
  return {
    define: async (definition) => {
      if (definition?.type !== "table") return;
      const { name, sql } = definition;
      const make = { sql, what: `the definition of the table ${showName(name)}` };
      await add(state, make, noteOf(owner, definition));
    },
    table: async (table) => {
      closeStatement(state);
      state.table = table;
      if (table.name !== "sqlite_sequence") return;
      // Tables with AUTOINCREMENT have filled it with their rows; without one, it may not exist yet.
      await stage(state);
      await add(state, forgetCounts(`sqlite_schema WHERE name NOT IN (SELECT name FROM ${journalTable})`));
    },
    part: async (base64) => {
      closeStatement(state);
      if (state.parts.length === 0) await stage(state);
      state.parts.push(Buffer.byteLength(base64, "base64"));
      const sql = `INSERT INTO ${partsTable}(id,data) VALUES(${state.parts.length},?)`;
      await add(state, { sql, args: [`{"type":"blob","base64":"${base64}"}`], what: whatOf(state) });
    },
    row: (values) => addRow(state, values),
    item: () => (state.table === undefined ? {} : { item: state.table.name }),
    count: () => state.count,
    settle: () => state.underWay.catch(() => undefined),
    finish: async () => {
      closeStatement(state);
      await flush(state);
      await state.underWay;
    },
  };
}

/** Makes the table for parts. Its AUTOINCREMENT makes SQLite create `sqlite_sequence`, which then stays. */
async function stage(state: State): Promise<void> {
  const sql = `CREATE TABLE IF NOT EXISTS ${partsTable}(id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB)`;
  await add(state, { sql, what: "a table for large values" });
}

async function addRow(state: State, values: readonly DumpValue[]): Promise<void> {
  const isStaged = state.parts.length > 0;
  state.count++;
  const placed = placeRow(state, values);
  const args = placed.flatMap(({ arg }) => (arg === undefined ? [] : [arg]));
  const sql = `(${placed.map((one) => one.sql).join(",")})`;
  state.rows.push(sql);
  state.args.push(...args);
  state.rowBytes += args.reduce((sum, arg) => sum + arg.length + 1, sql.length);
  if (isStaged) {
    closeStatement(state);
    state.parts = [];
    await add(state, { sql: `DELETE FROM ${partsTable}`, what: whatOf(state) });
  } else if (state.rowBytes > statementBytesMax || state.args.length > statementArgumentsMax) {
    closeStatement(state);
    await flushWhenFull(state);
  }
}

function placeRow(state: State, values: readonly DumpValue[]): readonly Placed[] {
  let part = 0;
  return values.map((value) => {
    if (isSmall(value)) return placeValue(value);
    const first = part + 1;
    for (let missing = partBytes(value) ?? 0; missing > 0; part++) missing -= state.parts[part] ?? missing;
    const parts = `SELECT data FROM ${partsTable} WHERE id BETWEEN ${first} AND ${part} ORDER BY id`;
    const joined = `(SELECT group_concat(data,'') FROM (${parts}))`;
    return { sql: `CAST(${joined} AS ${"B" in value ? "BLOB" : "TEXT"})` };
  });
}

function closeStatement(state: State): void {
  const { table, rows, args } = state;
  if (table === undefined || rows.length === 0) return;
  const columns = [...(table.rowId === undefined ? [] : [table.rowId]), ...table.columns.map(quoteName)];
  const sql = `INSERT INTO ${quoteName(table.name)}(${columns.join(",")}) VALUES ${rows.join(",")}`;
  state.writes.push({ sql, args, what: whatOf(state) });
  state.bytes += state.rowBytes;
  state.rows = [];
  state.args = [];
  state.rowBytes = 0;
}

/** Adds writes; those of one call are written in one transaction. */
async function add(state: State, ...writes: readonly Write[]): Promise<void> {
  closeStatement(state);
  for (const { sql, args = [] } of writes) state.bytes += sql.length + sumOf(args);
  state.writes.push(...writes);
  await flushWhenFull(state);
}

const sumOf = (args: readonly string[]) => args.reduce((sum, arg) => sum + arg.length, 0);

async function flushWhenFull(state: State): Promise<void> {
  if (state.bytes > requestBytesMax || state.writes.length > 200) await flush(state);
}

async function flush(state: State): Promise<void> {
  await state.underWay;
  const { database, writes } = state;
  if (writes.length === 0) return;
  state.writes = [];
  state.bytes = 0;
  state.underWay = write(database, writes);
  // A failure is thrown when the next transaction begins, or at the end; until then it must not count as unhandled.
  state.underWay.catch(() => undefined);
}

function whatOf({ table }: State): string {
  return `a row of the table ${showName(table?.name ?? "")}`;
}
