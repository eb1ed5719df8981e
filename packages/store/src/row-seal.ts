import type { AuditSeal } from "./audit-seal.ts";
import { isSameMac } from "./same-mac.ts";

/** Proves what a row decides: whoever writes to the store cannot make it. */
export type RowMac = (table: string, row: Readonly<Record<string, string | number | null>>) => string;

/** What rows are proven by. Asked for each time: a store is opened before its keys are. */
export type Seals = {
  readonly audit: () => AuditSeal | undefined;
  readonly rowMac: () => RowMac | undefined;
};

type Decisive = Parameters<RowMac>[1];
type Sealed = { readonly mac: string | null };

/**
 * Rows of a table by which the broker decides who somebody is. One without the right MAC is read as if it were not there;
 * an older version of a row has a right one.
 * @param decisive the columns that decide
 */
export function createRowSeal<Row extends Sealed>(
  table: string,
  { rowMac }: Seals,
  decisive: (row: Omit<Row, "mac">) => Decisive,
) {
  const macOf = (row: Omit<Row, "mac">): string | null => rowMac()?.(table, decisive(row)) ?? null;
  const isGenuine = (row: Row): boolean => {
    const expected = macOf(row);
    return expected === null || isSameMac(row.mac, expected);
  };
  const open = (row: Row | undefined): Omit<Row, "mac"> | undefined => {
    if (row === undefined || !isGenuine(row)) return undefined;
    const { mac: _mac, ...rest } = row;
    return rest;
  };
  return {
    macOf,
    /** The row, when the broker wrote it. */
    open,
    /** Those that the broker wrote. */
    openAll: (rows: readonly Row[]): Omit<Row, "mac">[] => rows.flatMap((row) => open(row) ?? []),
  };
}
