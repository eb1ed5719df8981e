import { and, asc, eq, getTableName, gt, isNull, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, decisive, type Seals } from "../row-seal.ts";
import { isSameMac } from "../same-mac.ts";
import { type ProvenTable, provenTables } from "./proven-tables.ts";

const rowsAtOnceMax = 500;

/** How far an upgrade has come. */
export type UpgradePlace = { readonly tables: number; readonly row: number };

type StoredRow = Readonly<Record<string, unknown>> & { readonly mac: string | null };
type Found = { readonly place: number; readonly row: StoredRow };

/** Rows from before there were MACs over what decides in them. */
export function olderRowsTable(database: Database, seals: Seals) {
  const prove = async (proven: ProvenTable, level: number, after: number): Promise<number | undefined> => {
    const { table, before } = proven;
    const { macOf } = createRowSeal(seals, proven);
    const hadMacs = before !== undefined && level >= before.level;
    // A number of its own that no row of ours has set: whatever the key of the table is.
    const place = sql<number>`${table}.rowid`;
    const found = (await database
      .select({ place, row: table })
      .from(table)
      .where(and(gt(place, after), hadMacs ? undefined : isNull(table.mac)))
      .orderBy(asc(place))
      // Holds because each of these tables has the column `mac`.
      .limit(rowsAtOnceMax)) as Found[];
    for (const { place: at, row } of found) {
      // One that somebody else wrote, or has been proven already, stays as it is.
      if (hadMacs && !wasProven(row, table, before.columns)) continue;
      const mac = macOf(row);
      await database.update(table).set({ mac }).where(eq(place, at));
    }
    return found.length < rowsAtOnceMax ? undefined : found.at(-1)?.place;
  };
  const wasProven = (row: StoredRow, table: ProvenTable["table"], columns: readonly string[]): boolean => {
    const expected = seals.rowMac()?.(getTableName(table), decisive(row, columns.toSorted()));
    return expected !== undefined && isSameMac(row.mac, expected);
  };
  return {
    /**
     * Proves some rows of a store of this level.
     * @returns where to go on; `undefined` when all are proven
     */
    prove: async (
      level: number,
      { tables, row }: UpgradePlace = { tables: 0, row: 0 },
    ): Promise<UpgradePlace | undefined> => {
      const proven = Object.values(provenTables).filter(({ since }) => since > level)[tables];
      if (proven === undefined) return undefined;
      const last = await prove(proven, level, row);
      return last === undefined ? { tables: tables + 1, row: 0 } : { tables, row: last };
    },
  };
}
