/** What is needed to read and fill one table. */
export type TableShape = {
  readonly name: string;
  /** The columns that are stored, in order, without generated ones. */
  readonly columns: readonly string[];
  /** The name of the row id in this table, and whether a dump must keep it; absent: the table has none. */
  readonly rowId?: { readonly name: RowIdName; readonly kept: boolean };
  /** The columns that order the rows of a table without row ids; otherwise empty. */
  readonly key: readonly { readonly column: string; readonly collation: string }[];
};

export const rowIdNames = ["rowid", "_rowid_", "oid"] as const;
export type RowIdName = (typeof rowIdNames)[number];

/** A name of the row id that is not also the name of one of these columns; `undefined` if there is none. */
export function freeRowIdName(columns: readonly string[]): RowIdName | undefined {
  const taken = new Set(columns.map((column) => column.toLowerCase()));
  return rowIdNames.find((name) => !taken.has(name));
}

/** Values above this many bytes are read in parts, so that one row never exceeds the size limit of an answer. */
export function largeBytesOf(shape: TableShape): number {
  return Math.min(256 * 1024, Math.floor(rowBytesMax / Math.max(shape.columns.length, 1)));
}

const rowBytesMax = 1.25 * 1024 * 1024;
