import { and, eq, gt, lte, type SQL, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { providerLimits } from "./schema.ts";

export type ProviderLimitRow = typeof providerLimits.$inferSelect;

/** The longest pause a provider may ask for. */
export const pauseMsMax = 3_600_000;

// A pause that ends later than any pause can was written by a clock that has been set back since.
const heldBack = (now: SQL) =>
  and(gt(providerLimits.pausedUntil, now), lte(providerLimits.pausedUntil, sql`${now} + ${2 * pauseMsMax}`));

/** The connectors whose providers must not be called now. */
export function pausedConnectors(database: Database, now: SQL) {
  return database
    .select({ connectorId: providerLimits.connectorId })
    .from(providerLimits)
    .where(heldBack(now));
}

export function providerLimitsTable(database: Database) {
  const find = database
    .select()
    .from(providerLimits)
    .where(eq(providerLimits.connectorId, sql.placeholder("connectorId")))
    .prepare();
  return {
    find: (connectorId: string): Promise<ProviderLimitRow | undefined> => find.get({ connectorId }),
    /** How long no broker should call the provider, in milliseconds; 0 if there is no pause. */
    pauseMsOf: async (connectorId: string, now: number): Promise<number> => {
      const until = (await find.get({ connectorId }))?.pausedUntil ?? 0;
      return until > now && until <= now + 2 * pauseMsMax ? until - now : 0;
    },
    /** Pauses calls to the provider until then, but at most `pauseMsMax`, or until a known pause that ends later. */
    pause: async (connectorId: string, until: number, now: number): Promise<void> => {
      const pausedUntil = Math.min(until, now + pauseMsMax);
      const known = providerLimits.pausedUntil;
      const longer = and(gt(known, pausedUntil), lte(known, now + 2 * pauseMsMax));
      await database
        .insert(providerLimits)
        .values({ connectorId, pausedUntil, windowStart: 0, used: 0 })
        .onConflictDoUpdate({
          target: providerLimits.connectorId,
          set: { pausedUntil: sql`case when ${longer} then ${known} else ${pausedUntil} end` },
        });
    },
    /**
     * Takes `count` of the calls that all brokers together may make in a window; false if fewer are left.
     * @param window `start` is a multiple of `lengthMs`; a stored window that is older, or far ahead, is replaced
     */
    take: async (
      connectorId: string,
      window: { readonly start: number; readonly lengthMs: number; readonly calls: number },
      count: number,
    ): Promise<boolean> => {
      const { windowStart, used } = providerLimits;
      const other = sql`(${windowStart} < ${window.start} or ${windowStart} > ${window.start + window.lengthMs})`;
      const taken = await database
        .insert(providerLimits)
        .values({ connectorId, pausedUntil: 0, windowStart: window.start, used: count })
        .onConflictDoUpdate({
          target: providerLimits.connectorId,
          set: {
            windowStart: sql`case when ${other} then ${window.start} else ${windowStart} end`,
            used: sql`case when ${other} then ${count} else ${used} + ${count} end`,
          },
          setWhere: sql`${other} or ${used} + ${count} <= ${window.calls}`,
        });
      return taken.rowsAffected === 1;
    },
  };
}
