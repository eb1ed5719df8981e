import { inArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { fingerprints } from "./schema.ts";

export type FingerprintRow = typeof fingerprints.$inferSelect;

export function fingerprintsTable(database: Database) {
  // A lease has one to three secrets: running a prepared statement for each row is less work than building one for all.
  const insert = database
    .insert(fingerprints)
    .values({
      fingerprint: sql.placeholder("fingerprint"),
      entityId: sql.placeholder("entityId"),
      variable: sql.placeholder("variable"),
      createdAt: sql.placeholder("createdAt"),
    })
    .onConflictDoNothing()
    .prepare();
  return {
    /** Adds the fingerprints that are new; a value that several leases share has one row. */
    insertNew: async (rows: readonly FingerprintRow[]): Promise<void> => {
      for (const row of rows) await insert.run(row);
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
