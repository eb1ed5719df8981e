import { and, asc, desc, eq, getTableName, gt, isNotNull, isNull, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, decisive, type Seals } from "../row-seal.ts";
import { isSameMac } from "../same-mac.ts";
import { type ProvenTable, provenTables } from "./proven-tables.ts";

const rowsAtOnceMax = 500;

/** The row number that the engine assigns, whatever the key of the table is. */
const placeIn = (table: ProvenTable["table"]) => sql<number>`${table}.rowid`;

const newerThan = (level: number): readonly ProvenTable[] =>
  Object.values(provenTables).filter(({ since }) => since > level);

/** How far an upgrade has come. */
export type UpgradePlace = { readonly tables: number; readonly row: number };

type StoredRow = Readonly<Record<string, unknown>> & { readonly mac: string | null };
type Found = { readonly place: number; readonly row: StoredRow };

/** Adds MACs to rows from before their deciding columns had MACs. */
export function olderRowsTable(database: Database, seals: Seals) {
  const prove = async (proven: ProvenTable, level: number, after: number): Promise<number | undefined> => {
    const { table, before } = proven;
    const { macOf } = createRowSeal(seals, proven);
    const hadMacs = before !== undefined && level >= before.level;
    const place = placeIn(table);
    const found = (await database
      .select({ place, row: table })
      .from(table)
      .where(and(gt(place, after), hadMacs ? undefined : isNull(table.mac)))
      .orderBy(asc(place))
      // The cast holds because each of these tables has the column `mac`.
      .limit(rowsAtOnceMax)) as Found[];
    for (const { place: at, row } of found) {
      // A row that somebody else wrote, or that has its new MAC already, is not changed.
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
     * Whether one of the tables that have no MACs in a store of this level has a proven row all the same: then the
     * store was upgraded before, whatever level it claims.
     */
    hasProven: async (level: number): Promise<boolean> => {
      for (const proven of newerThan(level)) {
        const { isGenuine } = createRowSeal(seals, proven);
        const rows = (await database
          .select()
          .from(proven.table)
          .where(isNotNull(proven.table.mac))
          .orderBy(desc(placeIn(proven.table)))
          .limit(rowsAtOnceMax)) as StoredRow[];
        if (rows.some(isGenuine)) return true;
      }
      return false;
    },
    /**
     * Adds MACs to some rows of a store of this level.
     * @returns where to continue; `undefined` once all rows have been handled
     */
    prove: async (
      level: number,
      { tables, row }: UpgradePlace = { tables: 0, row: 0 },
    ): Promise<UpgradePlace | undefined> => {
      const proven = newerThan(level)[tables];
      if (proven === undefined) return undefined;
      const last = await prove(proven, level, row);
      return last === undefined ? { tables: tables + 1, row: 0 } : { tables, row: last };
    },
  };
}
