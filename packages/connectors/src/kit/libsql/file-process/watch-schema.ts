import type { DatabaseSync } from "node:sqlite";
import { RefusedFile } from "./answers.ts";
import { partsOf, type Step } from "./guard.ts";

/** Compares `sqlite_schema` with what should have been made. */
export type SchemaWatch = {
  /** Call it before something is made, the returned function after. @throws RefusedFile for anything else or more */
  readonly begin: () => (step: Step, sql: string) => void;
  /** @throws RefusedFile for anything that was not seen to be made, or that is no longer there */
  readonly checkWhole: () => void;
};

type SchemaRow = {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: unknown;
};

const sequence: SchemaRow = {
  type: "table",
  name: "sqlite_sequence",
  table: "sqlite_sequence",
  sql: "CREATE TABLE sqlite_sequence(name,seq)",
};

export function watchSchema(database: DatabaseSync): SchemaWatch {
  const newest = database.prepare("SELECT coalesce(max(rowid),0) AS place FROM sqlite_schema");
  const newer = database.prepare(
    "SELECT type, name, tbl_name AS 'table', sql FROM sqlite_schema WHERE rowid>?",
  );
  const seen = new Set([keyOf(sequence)]);
  const since = (place: number) => newer.all(place).map(toRow);
  return {
    begin: () => {
      const place = Number(newest.get()?.place);
      return (step, sql) => {
        const rows = since(place);
        const [made, ...others] = rows.filter((row) => !comesWith(step, row));
        const isExpected =
          made !== undefined &&
          others.length === 0 &&
          made.type === (step.kind === "search" ? "table" : step.kind) &&
          made.name === step.name &&
          made.table === step.table &&
          // SQLite stores the text from the name on as it understood it, so it would store any other SQL differently.
          made.sql === sql;
        if (!isExpected) throw new RefusedFile({ reason: "not_as_listed" });
        for (const row of rows) seen.add(keyOf(row));
      };
    },
    checkWhole: () => {
      const rows = since(0);
      const isWhole = rows.every((row) => seen.has(keyOf(row)));
      const isThere = rows.length >= seen.size - (rows.some((row) => row.name === sequence.name) ? 0 : 1);
      if (!isWhole || !isThere) throw new RefusedFile({ reason: "not_as_listed" });
    },
  };
}

function toRow({ type, name, table, sql }: Record<string, unknown>): SchemaRow {
  return { type: String(type), name: String(name), table: String(table), sql };
}

const keyOf = ({ type, name, table, sql }: SchemaRow) => JSON.stringify([type, name, table, sql]);

/** Whether SQLite itself adds a row with a table: indexes of its keys, its counter, the tables of a full-text index. */
function comesWith({ kind, name }: Step, row: SchemaRow): boolean {
  const isIndexOf = (table: string) =>
    row.type === "index" &&
    row.sql === null &&
    row.table === table &&
    row.name.startsWith(`sqlite_autoindex_${table}_`);
  if (kind === "table") return isIndexOf(name) || keyOf(row) === keyOf(sequence);
  if (kind !== "search") return false;
  return partsOf(name).some(
    (part) => isIndexOf(part) || (row.type === "table" && row.name === part && row.table === part),
  );
}
