import { type TransferState, transferTransitions } from "@keyloan/contract";
import { and, desc, eq, inArray, isNotNull, isNull, or } from "drizzle-orm";
import type { Database } from "../database.ts";
import { assertMoves } from "./assert-moves.ts";
import { transfers } from "./schema.ts";

export type TransferRow = typeof transfers.$inferSelect;

export function transfersTable(database: Database) {
  return {
    insert: async (row: TransferRow): Promise<void> => {
      await database.insert(transfers).values(row);
    },
    find: (id: string): Promise<TransferRow | undefined> =>
      database.select().from(transfers).where(eq(transfers.id, id)).get(),
    /** Newest first. */
    listByBuild: (buildId: string): Promise<TransferRow[]> =>
      database
        .select()
        .from(transfers)
        .where(eq(transfers.buildId, buildId))
        .orderBy(desc(transfers.createdAt), desc(transfers.id)),
    /** Those that some job must still bring to an end, or whose source still takes no writes without a reason. */
    listUnended: (limit: number): Promise<TransferRow[]> =>
      database
        .select()
        .from(transfers)
        .where(
          or(
            isNull(transfers.endedAt),
            and(isNotNull(transfers.frozenAt), inArray(transfers.state, ["cancelled", "failed"])),
          ),
        )
        .limit(limit),
    /** False when it was not in one of the `from` states. Throws for a move the state table forbids. */
    update: async (
      id: string,
      from: readonly TransferState[],
      changes: Partial<Omit<TransferRow, "id" | "buildId" | "leaseId" | "createdAt">>,
    ): Promise<boolean> => {
      assertMoves(transferTransitions, from, changes.state);
      const result = await database
        .update(transfers)
        .set(changes)
        .where(and(eq(transfers.id, id), inArray(transfers.state, [...from])));
      return result.rowsAffected === 1;
    },
  };
}
