/** How one table is read and filled, whatever it is called. */
export type TableShape = {
  readonly name: string;
  /** The columns that are stored, in order; generated ones are not among them. */
  readonly columns: readonly string[];
  /** How the row id is called here, and whether it has to be given along; absent: the table has none. */
  readonly rowId?: { readonly name: RowIdName; readonly kept: boolean };
  /** Of a table without row ids: what its rows are in order by. */
  readonly key: readonly { readonly column: string; readonly collation: string }[];
};

export const rowIdNames = ["rowid", "_rowid_", "oid"] as const;
export type RowIdName = (typeof rowIdNames)[number];

/** The name under which the row id can be reached beside columns of these names; `undefined` when they hide it. */
export function freeRowIdName(columns: readonly string[]): RowIdName | undefined {
  const taken = new Set(columns.map((column) => column.toLowerCase()));
  return rowIdNames.find((name) => !taken.has(name));
}

/** Values above this many bytes are read in parts, so that one row never exceeds what one answer may hold. */
export function largeBytesOf(shape: TableShape): number {
  return Math.min(256 * 1024, Math.floor(rowBytesMax / Math.max(shape.columns.length, 1)));
}

const rowBytesMax = 1.25 * 1024 * 1024;
