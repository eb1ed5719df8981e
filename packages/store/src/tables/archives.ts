import { type ArchiveState, archiveTransitions } from "@keyloan/contract";
import { and, desc, eq, inArray, isNotNull } from "drizzle-orm";
import type { Database } from "../database.ts";
import { assertMoves } from "./assert-moves.ts";
import { archives } from "./schema.ts";

export type ArchiveRow = typeof archives.$inferSelect;

export function archivesTable(database: Database) {
  return {
    insert: async (row: ArchiveRow): Promise<void> => {
      await database.insert(archives).values(row);
    },
    find: (id: string): Promise<ArchiveRow | undefined> =>
      database.select().from(archives).where(eq(archives.id, id)).get(),
    /** Newest first. */
    listByBuild: (buildId: string): Promise<ArchiveRow[]> =>
      database
        .select()
        .from(archives)
        .where(eq(archives.buildId, buildId))
        .orderBy(desc(archives.createdAt), desc(archives.id)),
    /** Those of one database, newest first. */
    listByLease: (leaseId: string): Promise<ArchiveRow[]> =>
      database
        .select()
        .from(archives)
        .where(eq(archives.leaseId, leaseId))
        .orderBy(desc(archives.createdAt), desc(archives.id)),
    /** Whether the database of a lease is archived and has been ended: then the lease owns nothing any more. */
    isDropped: async (leaseId: string): Promise<boolean> => {
      const row = await database
        .select({ id: archives.id })
        .from(archives)
        .where(and(eq(archives.leaseId, leaseId), isNotNull(archives.droppedAt)))
        .limit(1)
        .get();
      return row !== undefined;
    },
    /** False when it was not in one of the `from` states. Throws for a move the state table forbids. */
    update: async (
      id: string,
      from: readonly ArchiveState[],
      changes: Partial<Omit<ArchiveRow, "id" | "buildId" | "leaseId" | "createdAt">>,
    ): Promise<boolean> => {
      assertMoves(archiveTransitions, from, changes.state);
      const result = await database
        .update(archives)
        .set(changes)
        .where(and(eq(archives.id, id), inArray(archives.state, [...from])));
      return result.rowsAffected === 1;
    },
  };
}
