import { eq } from "drizzle-orm";
import type { Database } from "../database.ts";
import { providerLimits } from "./schema.ts";

export type ProviderLimitRow = typeof providerLimits.$inferSelect;

export function providerLimitsTable(database: Database) {
  return {
    find: (connectorId: string): Promise<ProviderLimitRow | undefined> =>
      database.select().from(providerLimits).where(eq(providerLimits.connectorId, connectorId)).get(),
  };
}
