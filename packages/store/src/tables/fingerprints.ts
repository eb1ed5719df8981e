import { inArray } from "drizzle-orm";
import type { Database } from "../database.ts";
import { fingerprints } from "./schema.ts";

export type FingerprintRow = typeof fingerprints.$inferSelect;

export function fingerprintsTable(database: Database) {
  return {
    /** Keeps the first sighting of each; a value that several leases share is one row. */
    insertNew: async (rows: readonly FingerprintRow[]): Promise<void> => {
      if (rows.length > 0)
        await database
          .insert(fingerprints)
          .values([...rows])
          .onConflictDoNothing();
    },
    findAny: (values: readonly string[]): Promise<FingerprintRow[]> =>
      values.length === 0
        ? Promise.resolve([])
        : database
            .select()
            .from(fingerprints)
            .where(inArray(fingerprints.fingerprint, [...values])),
  };
}
