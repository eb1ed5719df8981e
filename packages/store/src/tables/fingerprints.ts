import { inArray, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { fingerprints } from "./schema.ts";

export type FingerprintRow = typeof fingerprints.$inferSelect;

export function fingerprintsTable(database: Database) {
  // A lease has one to three secrets: row by row with a prepared statement is less work than one that is built.
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
    /** Keeps the first sighting of each; a value that several leases share is one row. */
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
