import { type TransferState, transferTransitions } from "@keyloan/contract";
import { and, desc, eq, inArray, isNotNull, isNull, or } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, firstGenuine, type Seals } from "../row-seal.ts";
import { assertMoves } from "./assert-moves.ts";
import { provenTables } from "./proven-tables.ts";
import { transfers } from "./schema.ts";

export type TransferRow = Omit<typeof transfers.$inferSelect, "mac">;

export function transfersTable(database: Database, seals: Seals) {
  const { seal, reseal, open, openAll } = createRowSeal(seals, provenTables.transfers);
  const find = async (id: string): Promise<TransferRow | undefined> =>
    open(await database.select().from(transfers).where(eq(transfers.id, id)).get());
  return {
    insert: async (row: TransferRow): Promise<void> => {
      await database.insert(transfers).values(seal(row));
    },
    find,
    /** Newest first. */
    listByBuild: async (buildId: string): Promise<TransferRow[]> =>
      openAll(
        await database
          .select()
          .from(transfers)
          .where(eq(transfers.buildId, buildId))
          .orderBy(desc(transfers.createdAt), desc(transfers.id)),
      ),
    /** Transfers that have not ended, and failed or cancelled ones whose source is still frozen. */
    listUnended: async (limit: number): Promise<TransferRow[]> =>
      firstGenuine(limit, async (offset) => {
        const isFrozen = and(
          isNotNull(transfers.frozenAt),
          inArray(transfers.state, ["cancelled", "failed"]),
        );
        const isUnended = or(isNull(transfers.endedAt), isFrozen);
        const page = database.select().from(transfers).where(isUnended).orderBy(transfers.id);
        const rows = await page.limit(limit).offset(offset);
        return { rows: openAll(rows), isLast: rows.length < limit };
      }),
    /** False when it was not in one of the `from` states. Throws for a move the state table forbids. */
    update: async (
      id: string,
      from: readonly TransferState[],
      changes: Partial<Omit<TransferRow, "id" | "buildId" | "leaseId" | "createdAt">>,
    ): Promise<boolean> => {
      assertMoves(transferTransitions, from, changes.state);
      const row = await find(id);
      if (row === undefined) return false;
      const result = await database
        .update(transfers)
        .set(reseal(row, changes))
        .where(and(eq(transfers.id, id), inArray(transfers.state, [...from])));
      return result.rowsAffected === 1;
    },
  };
}
