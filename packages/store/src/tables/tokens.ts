import { and, desc, eq, isNotNull, isNull, lt, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals } from "../row-seal.ts";
import type { TimeCursor } from "./builds.ts";
import { provenTables } from "./proven-tables.ts";
import { tokens } from "./schema.ts";

export type TokenRow = Omit<typeof tokens.$inferSelect, "mac">;

export function tokensTable(database: Database, seals: Seals) {
  const { seal, open, openAll } = createRowSeal(seals, provenTables.tokens);
  const findByHash = database
    .select()
    .from(tokens)
    .where(eq(tokens.hash, sql.placeholder("hash")))
    .prepare();
  const find = database
    .select()
    .from(tokens)
    .where(eq(tokens.id, sql.placeholder("id")))
    .prepare();
  const revokeByBuild = database
    .update(tokens)
    .set({ revokedAt: sql`${sql.placeholder("revokedAt")}` })
    .where(and(eq(tokens.buildId, sql.placeholder("buildId")), isNull(tokens.revokedAt)))
    .prepare();
  return {
    find: async (id: string): Promise<TokenRow | undefined> => open(await find.get({ id })),
    findByHash: async (hash: string): Promise<TokenRow | undefined> => open(await findByHash.get({ hash })),
    insert: async (row: TokenRow): Promise<void> => {
      await database.insert(tokens).values(seal(row));
    },
    /** The tokens of a build, or the API tokens of platforms if `buildId` is null; newest first. */
    list: async (filter: {
      buildId: string | null;
      after?: TimeCursor;
      limit: number;
    }): Promise<TokenRow[]> => {
      const { buildId, after, limit } = filter;
      const isOlder =
        after === undefined
          ? undefined
          : or(
              lt(tokens.createdAt, after.createdAt),
              and(eq(tokens.createdAt, after.createdAt), lt(tokens.id, after.id)),
            );
      const rows = await database
        .select()
        .from(tokens)
        .where(and(buildId === null ? eq(tokens.kind, "api") : eq(tokens.buildId, buildId), isOlder))
        .orderBy(desc(tokens.createdAt), desc(tokens.id))
        .limit(limit);
      return openAll(rows);
    },
    /** False when it was used before: a single-use token works once, however many requests race. */
    markUsed: async (id: string, usedAt: number): Promise<boolean> => {
      const result = await database
        .update(tokens)
        .set({ usedAt })
        .where(and(eq(tokens.id, id), isNull(tokens.usedAt)));
      return result.rowsAffected === 1;
    },
    /** False if there is no token with that id; true also if it was revoked before. */
    revoke: async (id: string, revokedAt: number): Promise<boolean> => {
      const result = await database
        .update(tokens)
        .set({ revokedAt: sql`coalesce(${tokens.revokedAt}, ${revokedAt})` })
        .where(eq(tokens.id, id));
      return result.rowsAffected === 1;
    },
    /** The same, but only for a token of this build. */
    revokeOfBuild: async (id: string, buildId: string, revokedAt: number): Promise<boolean> => {
      const result = await database
        .update(tokens)
        .set({ revokedAt: sql`coalesce(${tokens.revokedAt}, ${revokedAt})` })
        .where(and(eq(tokens.id, id), eq(tokens.buildId, buildId)));
      return result.rowsAffected === 1;
    },
    revokeByBuild: async (buildId: string, revokedAt: number): Promise<void> => {
      await revokeByBuild.run({ buildId, revokedAt });
    },
    /** Deletes tokens that expired before `before`; they are kept until then so that their answers stay precise. */
    deleteExpired: async (before: number): Promise<number> => {
      const result = await database
        .delete(tokens)
        .where(and(isNotNull(tokens.expiresAt), lt(tokens.expiresAt, before)));
      return result.rowsAffected;
    },
  };
}
