import { and, eq, inArray, isNull, or, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { createRowSeal, type Seals, withoutMac } from "../row-seal.ts";
import { provenTables } from "./proven-tables.ts";
import { bindings, builds, dataKeys, leases, userKeys } from "./schema.ts";

export type BindingRow = Omit<typeof bindings.$inferSelect, "mac">;
/** What a new binding needs; the other columns are filled in when the app switches to the user's key, and later. */
export type NewBinding = Pick<BindingRow, "buildId" | "connectorId" | "source"> & Partial<BindingRow>;

/** Everything that one answer with a build's env is made of, from one statement. */
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
  readonly swappedAt: number | null;
  readonly userKeyId: string | null;
  readonly userEnv: string | null;
  readonly leaseId: string | null;
  readonly leaseState: string | null;
  readonly leaseExpiresAt: number | null;
  readonly env: string | null;
};

const newBinding = {
  ...{ leaseId: null, userKeyId: null, swappedAt: null, preview: null },
  ...{ userReads: 0, userReadAt: null },
} as const;

/** What is read for a binding that the broker did not write: it gives no values, neither lent nor the user's. */
const gives = { source: "org", preview: false, userKeyId: null, leaseId: null, swappedAt: null } as const;
const givesNoEnv = { ...gives, userEnv: null, leaseState: null, leaseExpiresAt: null, env: null };

export function bindingsTable(database: Database, seals: Seals) {
  const { seal, reseal, isGenuine, openAll } = createRowSeal(seals, provenTables.bindings);
  const ofBuild = (buildId: string, connectorIds: readonly string[]) =>
    and(eq(bindings.buildId, buildId), inArray(bindings.connectorId, [...connectorIds]));
  /** Changes the bindings that the broker wrote. @returns how many were changed */
  const change = async (
    buildId: string,
    connectorIds: readonly string[],
    changes: Partial<BindingRow>,
    isMeant: (row: BindingRow) => boolean = () => true,
  ): Promise<number> => {
    if (connectorIds.length === 0) return 0;
    const found = await database.select().from(bindings).where(ofBuild(buildId, connectorIds));
    const rows = openAll(found).filter(isMeant);
    let changed = 0;
    for (const row of rows) {
      const result = await database
        .update(bindings)
        .set(reseal(row, changes))
        .where(ofBuild(buildId, [row.connectorId]));
      changed += result.rowsAffected;
    }
    return changed;
  };
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
      boundLease: bindings.leaseId,
      boundKey: bindings.userKeyId,
      swappedAt: bindings.swappedAt,
      mac: bindings.mac,
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
    envSources: async (buildId: string): Promise<EnvSourceRow[]> => {
      const rows = await envSources.all({ buildId });
      return rows.map((row) => {
        const { connectorId, source, preview, swappedAt, mac, boundLease, boundKey } = row;
        const bound = { leaseId: boundLease, userKeyId: boundKey };
        const isOurs = isGenuine({ buildId, connectorId, source, preview, swappedAt, mac, ...bound });
        return isOurs ? row : { ...row, ...givesNoEnv };
      });
    },
    listByBuild: async (buildId: string): Promise<BindingRow[]> => {
      const rows = await database
        .select()
        .from(bindings)
        .where(eq(bindings.buildId, buildId))
        .orderBy(bindings.connectorId);
      return rows.map((row) => ({ ...withoutMac(row), ...(isGenuine(row) ? {} : gives) }));
    },
    /** Lets the app use the user's key; false when the build has no such binding. */
    swap: async (
      buildId: string,
      connectorId: string,
      userKeyId: string,
      swappedAt: number,
      preview: boolean,
    ): Promise<boolean> =>
      (await change(buildId, [connectorId], { source: "user", userKeyId, swappedAt, preview })) === 1,
    /** Sets whether the build's env may hold the user's values of these connectors; null: nobody has answered yet. */
    setPreview: async (
      buildId: string,
      connectorIds: readonly string[],
      preview: boolean | null,
    ): Promise<void> => {
      await change(buildId, connectorIds, { preview });
    },
    /** Counts an answer with the values of these user keys; false if the env may no longer hold all of them. */
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
    /** Lets the app use the lent keys again, for these connectors of the build. */
    revert: async (buildId: string, connectorIds: readonly string[]): Promise<void> => {
      await change(buildId, connectorIds, { source: "org", userKeyId: null, swappedAt: null, preview: null });
    },
    /** Removes a connector from the build. */
    remove: async (buildId: string, connectorId: string): Promise<void> => {
      await database
        .delete(bindings)
        .where(and(eq(bindings.buildId, buildId), eq(bindings.connectorId, connectorId)));
    },
    /** Lets the build use another lease of the same connector; false if it does not use `fromLeaseId`. */
    changeLease: async (
      buildId: string,
      connectorId: string,
      fromLeaseId: string,
      toLeaseId: string,
    ): Promise<boolean> => {
      const isUsed = ({ leaseId }: BindingRow) => leaseId === fromLeaseId;
      return (await change(buildId, [connectorId], { leaseId: toLeaseId }, isUsed)) === 1;
    },
    insertAll: async (rows: readonly NewBinding[]): Promise<void> => {
      await database.insert(bindings).values(rows.map((row) => seal({ ...newBinding, ...row })));
    },
  };
}
