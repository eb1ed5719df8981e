import { eq, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { bindings, builds, dataKeys, leases } from "./schema.ts";

export type BindingRow = typeof bindings.$inferSelect;

/** Everything one env answer is made of, from one statement. */
export type EnvSourceRow = {
  readonly build: {
    readonly id: string;
    readonly state: string;
    readonly profile: string;
    readonly expiresAt: number;
  };
  readonly dataKey: {
    readonly id: string;
    readonly ownerId: string;
    readonly kid: string;
    readonly wrapped: string;
  } | null;
  readonly connectorId: string;
  readonly leaseId: string | null;
  readonly leaseState: string | null;
  readonly leaseExpiresAt: number | null;
  readonly env: string | null;
};

export function bindingsTable(database: Database) {
  const envSources = database
    .select({
      build: { id: builds.id, state: builds.state, profile: builds.profile, expiresAt: builds.expiresAt },
      dataKey: { id: dataKeys.id, ownerId: dataKeys.ownerId, kid: dataKeys.kid, wrapped: dataKeys.wrapped },
      connectorId: bindings.connectorId,
      leaseId: leases.id,
      leaseState: leases.state,
      leaseExpiresAt: leases.expiresAt,
      env: leases.env,
    })
    .from(builds)
    .innerJoin(bindings, eq(bindings.buildId, builds.id))
    .leftJoin(leases, eq(leases.id, bindings.leaseId))
    .leftJoin(dataKeys, eq(dataKeys.ownerId, builds.id))
    .where(eq(builds.id, sql.placeholder("buildId")))
    .prepare();
  return {
    /** One row per binding of the build; none when the build does not exist. */
    envSources: (buildId: string): Promise<EnvSourceRow[]> => envSources.all({ buildId }),
    insertAll: async (rows: readonly BindingRow[]): Promise<void> => {
      await database.insert(bindings).values([...rows]);
    },
  };
}
