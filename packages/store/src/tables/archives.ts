import { type ArchiveState, archiveTransitions } from "@keyloan/contract";
import { and, desc, eq, inArray, type SQL } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import { assertMoves } from "./assert-moves.ts";
import { provenTables } from "./proven-tables.ts";
import { archives } from "./schema.ts";

export type ArchiveRow = Omit<typeof archives.$inferSelect, "mac">;

export function archivesTable(database: Database, seals: Seals) {
  const { seal, reseal, open, openAll } = createRowSeal(seals, provenTables.archives);
  const find = async (id: string): Promise<ArchiveRow | undefined> =>
    open(await database.select().from(archives).where(eq(archives.id, id)).get());
  /** Newest first. */
  const list = async (where: SQL): Promise<ArchiveRow[]> =>
    openAll(
      await database
        .select()
        .from(archives)
        .where(where)
        .orderBy(desc(archives.createdAt), desc(archives.id)),
    );
  return {
    insert: async (row: ArchiveRow): Promise<void> => {
      await database.insert(archives).values(seal(row));
    },
    find,
    /** Newest first. */
    listByBuild: (buildId: string): Promise<ArchiveRow[]> => list(eq(archives.buildId, buildId)),
    /** The archives of one lease's database, newest first. */
    listByLease: (leaseId: string): Promise<ArchiveRow[]> => list(eq(archives.leaseId, leaseId)),
    /** Whether the database of a lease was archived and then dropped: the lease owns nothing any more then. */
    isDropped: async (leaseId: string): Promise<boolean> =>
      (await list(eq(archives.leaseId, leaseId))).some(({ droppedAt }) => droppedAt !== null),
    /** False when it was not in one of the `from` states. Throws for a move the state table forbids. */
    update: async (
      id: string,
      from: readonly ArchiveState[],
      changes: Partial<Omit<ArchiveRow, "id" | "buildId" | "leaseId" | "createdAt">>,
    ): Promise<boolean> => {
      assertMoves(archiveTransitions, from, changes.state);
      const row = await find(id);
      if (row === undefined) return false;
      const result = await database
        .update(archives)
        .set(reseal(row, changes))
        .where(and(eq(archives.id, id), inArray(archives.state, [...from])));
      return result.rowsAffected === 1;
    },
  };
}
