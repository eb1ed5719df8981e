import { getTableName } from "drizzle-orm";
import type { AuditSeal } from "./audit-seal.ts";
import { isSameMac } from "./same-mac.ts";
import type { ProvenTable, SealedRow } from "./tables/proven-tables.ts";

type Cell = string | number | boolean | null;

/** Makes the MAC of a row's deciding columns, which somebody who can only write to the store cannot make. */
export type RowMac = (table: string, columns: readonly (readonly [name: string, value: Cell])[]) => string;

/** What proves rows. Called each time it is needed, because a store is opened before its keys are. */
export type Seals = {
  readonly audit: () => AuditSeal | undefined;
  readonly rowMac: () => RowMac | undefined;
};

/**
 * Makes and checks the MACs of a table's rows. A row without the right MAC is read as if it were not there. An older
 * version of a row has a right MAC too.
 */
export function createRowSeal<Row extends SealedRow>({ rowMac }: Seals, proven: ProvenTable<Row>) {
  const name = getTableName(proven.table);
  const columns = proven.columns.toSorted();
  const macOf = (row: object): string | null => rowMac()?.(name, decisive(row, columns)) ?? null;
  const isGenuine = (row: Partial<Row> & SealedRow): boolean => {
    const expected = macOf(row);
    return expected === null || isSameMac(row.mac, expected);
  };
  const open = (row: Row | undefined): Omit<Row, "mac"> | undefined => {
    if (row === undefined || !isGenuine(row)) return undefined;
    return withoutMac(row);
  };
  return {
    macOf,
    /** The row with its MAC, for an insert. */
    seal: <Given extends Omit<Row, "mac">>(row: Given) => ({ ...row, mac: macOf(row) }),
    /** The changes to a row, with the MAC of the changed row. */
    reseal: <Changes extends object>(row: object, changes: Changes) => ({
      ...changes,
      mac: macOf({ ...row, ...changes }),
    }),
    /** Whether the broker wrote the row. It must have all deciding columns. */
    isGenuine,
    /** The row, without its MAC; `undefined` if the broker did not write it. */
    open,
    /** The rows that the broker wrote, without their MACs. */
    openAll: (rows: readonly Row[]): Omit<Row, "mac">[] => rows.flatMap((row) => open(row) ?? []),
  };
}

const pagesMax = 100;

/** The first `limit` rows of a list that the broker wrote. Skips other rows, and stops after 100 pages. */
export async function firstGenuine<Row>(
  limit: number,
  readPage: (offset: number) => Promise<{ readonly rows: readonly Row[]; readonly isLast: boolean }>,
): Promise<Row[]> {
  const found: Row[] = [];
  for (let page = 0; page < pagesMax && found.length < limit; page++) {
    const { rows, isLast } = await readPage(page * limit);
    found.push(...rows);
    if (isLast) break;
  }
  return found.slice(0, limit);
}

export function withoutMac<Row extends SealedRow>({ mac: _mac, ...row }: Row): Omit<Row, "mac"> {
  return row;
}

/** The cells of some columns; structures as the JSON text that is stored. @param columns sorted by name */
export function decisive(row: object, columns: readonly string[]): readonly (readonly [string, Cell])[] {
  return columns.map((column) => [column, toCell(Reflect.get(row, column))]);
}

function toCell(value: unknown): Cell {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
