/** A name as it stands in SQL, whatever it is made of. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name as SQLite compares names: without the case of its ASCII letters. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const probePrefix = "_keyloan_probe_";
const probePattern = /^_keyloan_probe_([0-9a-f]{12})([0-9a-f]{16})$/;

/** The table of one durability probe: its name tells when it was made, so that a later probe can clean up. */
export function probeTableName(nowMs: number, randomBytes: (size: number) => Uint8Array): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  return `${probePrefix}${time}${Buffer.from(randomBytes(8)).toString("hex")}`;
}

/** When a probe made this table, in milliseconds since the epoch; `undefined` when it is none of a probe's. */
export function probeTime(name: string): number | undefined {
  const time = probePattern.exec(name)?.[1];
  return time === undefined ? undefined : Number.parseInt(time, 16);
}

/** Holds the parts of large values while a dump is loaded; removed at its end. */
export const partsTable = "_keyloan_load_parts";

/** Says what a load has made, and for whom, until that is settled; see `journal.ts`. */
export const journalTable = "_keyloan_load_journal";

/** What a load makes beside content. */
export const loadTables: readonly string[] = [partsTable, journalTable];

/**
 * Whether a definition has the name of one of these tables anywhere: a trigger could write there what decides which tables
 * are taken back. No spelling of an identifier divides it, and SQLite folds the letters of ASCII alone.
 */
export const mentionsLoadTable = (sql: string): boolean => /_keyloan_load_/i.test(sql);

/** Tables that this package makes for a moment: never content of a database. */
export function isOwnTable(name: string): boolean {
  return loadTables.includes(name) || probePattern.test(name);
}

/** The same as a condition on the column `name`. */
export const isOwnTableSql = `(name IN (${loadTables.map((name) => `'${name}'`).join(",")}) OR name GLOB '${probePrefix}${"[0-9a-f]".repeat(28)}')`;
