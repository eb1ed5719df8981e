import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import {
  archives,
  bindings,
  handoffs,
  idempotencyKeys,
  jobs,
  leases,
  orgKeys,
  personBrowsers,
  persons,
  sessions,
  startOvers,
  tokens,
  transfers,
  userKeys,
  writtenObjects,
} from "./schema.ts";

type TableWithMac = SQLiteTable & { readonly mac: SQLiteColumn };
type ColumnOf<Table extends TableWithMac> = Exclude<keyof Table["$inferSelect"] & string, "mac">;
export type SealedRow = { readonly mac: string | null };

/** A table whose rows carry a MAC over the columns that decide. */
export type ProvenTable<Row extends SealedRow = SealedRow> = {
  readonly table: TableWithMac;
  /** The lowest level of a store that has these MACs. */
  readonly since: number;
  readonly columns: readonly string[];
  /** From this earlier level on there were MACs over these columns only. */
  readonly before?: { readonly level: number; readonly columns: readonly string[] };
  /** Never set: tells the compiler the type of the rows. */
  readonly row?: Row;
};

const proven = <Table extends TableWithMac>(
  table: Table,
  since: number,
  columns: readonly ColumnOf<Table>[],
  before?: { readonly level: number; readonly columns: readonly ColumnOf<Table>[] },
): ProvenTable<Table["$inferSelect"] & SealedRow> => ({
  ...{ table, since, columns },
  ...(before === undefined ? {} : { before }),
});

/**
 * THE list of the columns that decide something and so are proven. Columns that change with use, such as counts and the
 * time of the last use, are not in it, nor is the end of something that can do nothing but end.
 */
export const provenTables = {
  sessions: proven(sessions, 1, [
    "id",
    "buildId",
    "hash",
    "sealingKey",
    "createdAt",
    "openedBy",
    "identity",
    "personId",
  ]),
  persons: proven(persons, 1, [
    "id",
    "buildId",
    "identity",
    "recoveryHash",
    "allows",
    "createdAt",
    "endedAt",
  ]),
  personBrowsers: proven(personBrowsers, 2, ["hash", "personId", "endsAt"], {
    level: 1,
    columns: ["hash", "personId"],
  }),
  userKeys: proven(
    userKeys,
    2,
    ["id", "buildId", "connectorId", "personId", "fingerprint", "previews", "check", "savedAt", "checkedAt"],
    { level: 1, columns: ["id", "buildId", "connectorId", "personId"] },
  ),
  orgKeys: proven(orgKeys, 2, [
    "id",
    "organizationId",
    "connectorId",
    "version",
    "state",
    "fields",
    "fingerprint",
    "facts",
    "check",
    "putAt",
    "checkedAt",
    "provenDeadAt",
  ]),
  leases: proven(leases, 2, ["id", "buildId", "connectorId", "handle", "usage", "createdAt"]),
  bindings: proven(bindings, 2, [
    "buildId",
    "connectorId",
    "source",
    "leaseId",
    "userKeyId",
    "swappedAt",
    "preview",
  ]),
  tokens: proven(tokens, 2, [
    "id",
    "kind",
    "hash",
    "scopes",
    "buildId",
    "singleUse",
    "createdAt",
    "expiresAt",
  ]),
  handoffs: proven(handoffs, 2, ["id", "buildId", "hash", "userRef", "createdBy", "createdAt"]),
  idempotencyKeys: proven(idempotencyKeys, 2, ["principal", "key", "requestHash", "buildId", "createdAt"]),
  archives: proven(archives, 2, [
    "id",
    "buildId",
    "leaseId",
    "connectorId",
    "state",
    "location",
    "bytes",
    "sha256",
    "summary",
    "scratchHandle",
    "createdAt",
    "verifiedAt",
    "droppedAt",
    "restoredAt",
    "restoredLeaseId",
    "lastError",
  ]),
  jobs: proven(jobs, 2, [
    "id",
    "kind",
    "entityId",
    "createdAt",
    "buildId",
    "connectorId",
    "payload",
    "requiredAction",
  ]),
  transfers: proven(transfers, 2, [
    "id",
    "buildId",
    "connectorId",
    "kind",
    "state",
    "leaseId",
    "userKeyId",
    "overwrite",
    "progress",
    "frozenAt",
    "receipt",
    "startedBy",
    "createdAt",
    "askedAt",
    "endedAt",
    "lastError",
  ]),
  startOvers: proven(startOvers, 2, [
    "id",
    "buildId",
    "sessionId",
    "address",
    "state",
    "createdAt",
    "dueAt",
    "endedAt",
  ]),
  writtenObjects: proven(writtenObjects, 2, ["userKeyId", "nameHash", "buildId", "sha256"]),
};

/** The same list with the names that the file uses, for the documentation. */
export function provenColumns(): readonly { readonly table: string; readonly columns: readonly string[] }[] {
  return Object.values(provenTables).map(({ table, columns }) => ({
    table: getTableName(table),
    columns: columns.flatMap((column) => getTableColumns(table)[column]?.name ?? []),
  }));
}

/** The level of a store in which all tables above have their MACs. */
export const provenLevel = Math.max(...Object.values(provenTables).map(({ since }) => since));
