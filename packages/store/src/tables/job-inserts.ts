import { getTableColumns, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { JobRow } from "./jobs.ts";
import { jobs } from "./schema.ts";

/** The statements that insert jobs, many at a time. */
export function insertsOf(database: Database, seal: (row: JobRow) => StoredJob) {
  // One prepared statement per row count: building a statement costs more than running it.
  const inserts = new Map<number, ReturnType<typeof prepareInsert>>();
  const prepareInsert = (count: number) =>
    database
      .insert(jobs)
      .values(Array.from({ length: count }, (_, row) => insertPlaceholders(row)))
      .prepare();
  return {
    insertAll: async (rows: readonly JobRow[]): Promise<void> => {
      for (let start = 0; start < rows.length; start += rowsAtOnceMax) {
        const some = rows.slice(start, start + rowsAtOnceMax);
        const statement = inserts.get(some.length) ?? prepareInsert(some.length);
        inserts.set(some.length, statement);
        await statement.run(insertValues(some.map(seal)));
      }
    },
  };
}

type StoredJob = typeof jobs.$inferSelect;

const rowsAtOnceMax = 20;
const columns = Object.keys(getTableColumns(jobs));

/** Placeholders for every column of one row; `insertValues` gives their values. */
function insertPlaceholders(row: number): typeof jobs.$inferInsert {
  const values = Object.fromEntries(columns.map((column) => [column, sql`${sql.placeholder(column + row)}`]));
  // The cast holds because every column is there.
  return values as unknown as typeof jobs.$inferInsert;
}

function insertValues(rows: readonly StoredJob[]): Record<string, unknown> {
  const isStructure = (value: unknown) => typeof value === "object" && value !== null;
  return Object.fromEntries(
    rows.flatMap((job, row) =>
      Object.entries(job).map(([column, value]) => [
        column + row,
        isStructure(value) ? JSON.stringify(value) : value,
      ]),
    ),
  );
}
