/** A name quoted for SQL, whatever characters it has. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name in lower case, as SQLite compares names: it ignores the case of ASCII letters only. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const probePrefix = "_keyloan_probe_";
const probePattern = /^_keyloan_probe_([0-9a-f]{12})([0-9a-f]{16})$/;

/** The table of one durability probe. Its name holds the time, so that a later probe can clean up old ones. */
export function probeTableName(nowMs: number, randomBytes: (size: number) => Uint8Array): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, "0");
  return `${probePrefix}${time}${Buffer.from(randomBytes(8)).toString("hex")}`;
}

/** When a probe made this table, in milliseconds since the epoch; `undefined` if the table is not a probe's. */
export function probeTime(name: string): number | undefined {
  const time = probePattern.exec(name)?.[1];
  return time === undefined ? undefined : Number.parseInt(time, 16);
}

/** Holds the parts of large values while a dump is loaded; removed at the end of the load. */
export const partsTable = "_keyloan_load_parts";

/** Lists what a load has made, and its owner, until the load is settled; see `journal.ts`. */
export const journalTable = "_keyloan_load_journal";

/** The tables that a load makes in addition to content. */
export const loadTables: readonly string[] = [partsTable, journalTable];

/**
 * Whether a definition contains the name of one of these tables: a trigger could write into the journal, and so decide
 * which tables are taken back. No spelling of an identifier splits the name, and SQLite folds only ASCII letters.
 */
export const mentionsLoadTable = (sql: string): boolean => /_keyloan_load_/i.test(sql);

/** Whether this package made the table for a temporary use: such tables are never content of a database. */
export function isOwnTable(name: string): boolean {
  return loadTables.includes(name) || probePattern.test(name);
}

/** {@link isOwnTable} as a condition on the column `name`. */
export const isOwnTableSql = `(name IN (${loadTables.map((name) => `'${name}'`).join(",")}) OR name GLOB '${probePrefix}${"[0-9a-f]".repeat(28)}')`;
