import { and, eq, inArray, isNull, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { bindings, builds, dataKeys, leases, userKeys } from "./schema.ts";

export type BindingRow = typeof bindings.$inferSelect;
/** What a binding begins with; the rest is filled in by the switch and what comes after it. */
export type NewBinding = typeof bindings.$inferInsert;

/** Everything one env answer is made of, from one statement. */
export type EnvSourceRow = {
  readonly build: {
    readonly id: string;
    readonly state: string;
    readonly profile: string;
    readonly expiresAt: number;
    readonly revertibleUntil: number | null;
    readonly downloadedAt: number | null;
    readonly lendingEndedAt: number | null;
  };
  readonly dataKey: {
    readonly id: string;
    readonly ownerId: string;
    readonly kid: string;
    readonly wrapped: string;
  } | null;
  readonly connectorId: string;
  readonly source: "org" | "user";
  readonly preview: boolean | null;
  readonly userKeyId: string | null;
  readonly userEnv: string | null;
  readonly leaseId: string | null;
  readonly leaseState: string | null;
  readonly leaseExpiresAt: number | null;
  readonly env: string | null;
};

export function bindingsTable(database: Database) {
  const envSources = database
    .select({
      build: {
        id: builds.id,
        state: builds.state,
        profile: builds.profile,
        expiresAt: builds.expiresAt,
        revertibleUntil: builds.revertibleUntil,
        downloadedAt: builds.downloadedAt,
        lendingEndedAt: builds.lendingEndedAt,
      },
      dataKey: { id: dataKeys.id, ownerId: dataKeys.ownerId, kid: dataKeys.kid, wrapped: dataKeys.wrapped },
      connectorId: bindings.connectorId,
      source: bindings.source,
      preview: bindings.preview,
      userKeyId: userKeys.id,
      userEnv: userKeys.env,
      leaseId: leases.id,
      leaseState: leases.state,
      leaseExpiresAt: leases.expiresAt,
      env: leases.env,
    })
    .from(builds)
    .innerJoin(bindings, eq(bindings.buildId, builds.id))
    .leftJoin(leases, eq(leases.id, bindings.leaseId))
    .leftJoin(userKeys, eq(userKeys.id, bindings.userKeyId))
    .leftJoin(dataKeys, eq(dataKeys.ownerId, builds.id))
    .where(eq(builds.id, sql.placeholder("buildId")))
    .prepare();
  return {
    /** One row per binding of the build; none when the build does not exist. */
    envSources: (buildId: string): Promise<EnvSourceRow[]> => envSources.all({ buildId }),
    listByBuild: (buildId: string): Promise<BindingRow[]> =>
      database.select().from(bindings).where(eq(bindings.buildId, buildId)).orderBy(bindings.connectorId),
    /** Lets the app use the user's key; false when the build has no such binding. */
    swap: async (
      buildId: string,
      connectorId: string,
      userKeyId: string,
      swappedAt: number,
      preview: boolean,
    ): Promise<boolean> => {
      const result = await database
        .update(bindings)
        .set({ source: "user", userKeyId, swappedAt, preview })
        .where(and(eq(bindings.buildId, buildId), eq(bindings.connectorId, connectorId)));
      return result.rowsAffected === 1;
    },
    /** Lets the build's env hold the user's values of these connectors, or not; null: the question was never answered. */
    setPreview: async (
      buildId: string,
      connectorIds: readonly string[],
      preview: boolean | null,
    ): Promise<void> => {
      if (connectorIds.length === 0) return;
      await database
        .update(bindings)
        .set({ preview })
        .where(and(eq(bindings.buildId, buildId), inArray(bindings.connectorId, [...connectorIds])));
    },
    /** Counts an answer with the user's values of these keys; false when the env may not hold all of them any more. */
    countUserRead: async (
      buildId: string,
      userKeyIds: readonly string[],
      userReadAt: number,
    ): Promise<boolean> => {
      const result = await database
        .update(bindings)
        .set({ userReads: sql`${bindings.userReads} + 1`, userReadAt })
        .where(
          and(
            eq(bindings.buildId, buildId),
            inArray(bindings.userKeyId, [...userKeyIds]),
            or(isNull(bindings.preview), eq(bindings.preview, true)),
          ),
        );
      return result.rowsAffected === userKeyIds.length;
    },
    /** Lets the app use what was lent again, for these connectors of the build. */
    revert: async (buildId: string, connectorIds: readonly string[]): Promise<void> => {
      await database
        .update(bindings)
        .set({ source: "org", userKeyId: null, swappedAt: null, preview: null })
        .where(and(eq(bindings.buildId, buildId), inArray(bindings.connectorId, [...connectorIds])));
    },
    /** The build goes on without the connector. */
    remove: async (buildId: string, connectorId: string): Promise<void> => {
      await database
        .delete(bindings)
        .where(and(eq(bindings.buildId, buildId), eq(bindings.connectorId, connectorId)));
    },
    /** Lets the build use another lease of the same connector; false when it did not use the first. */
    changeLease: async (
      buildId: string,
      connectorId: string,
      fromLeaseId: string,
      toLeaseId: string,
    ): Promise<boolean> => {
      const result = await database
        .update(bindings)
        .set({ leaseId: toLeaseId })
        .where(
          and(
            eq(bindings.buildId, buildId),
            eq(bindings.connectorId, connectorId),
            eq(bindings.leaseId, fromLeaseId),
          ),
        );
      return result.rowsAffected === 1;
    },
    insertAll: async (rows: readonly NewBinding[]): Promise<void> => {
      await database.insert(bindings).values([...rows]);
    },
  };
}
