import type { Database } from "../database.ts";
import type { Seals } from "../row-seal.ts";
import { archivesTable } from "./archives.ts";
import { auditEventsTable } from "./audit-events.ts";
import { auditHeadsTable } from "./audit-heads.ts";
import { bindingsTable } from "./bindings.ts";
import { buildsTable } from "./builds.ts";
import { dataKeysTable } from "./data-keys.ts";
import { endingsTable } from "./endings.ts";
import { fingerprintsTable } from "./fingerprints.ts";
import { handoffsTable } from "./handoffs.ts";
import { idempotencyKeysTable } from "./idempotency-keys.ts";
import { jobsTable } from "./jobs.ts";
import { keyUsesTable } from "./key-uses.ts";
import { leasesTable } from "./leases.ts";
import { olderRowsTable } from "./older-rows.ts";
import { orgKeysTable } from "./org-keys.ts";
import { organizationsTable } from "./organizations.ts";
import { personsTable } from "./persons.ts";
import { providerLimitsTable } from "./provider-limits.ts";
import { schedulesTable } from "./schedules.ts";
import { sessionsTable } from "./sessions.ts";
import { signingKeysTable } from "./signing-keys.ts";
import { startOversTable } from "./start-overs.ts";
import { tokensTable } from "./tokens.ts";
import { transfersTable } from "./transfers.ts";
import { userKeysTable } from "./user-keys.ts";
import { writtenObjectsTable } from "./written-objects.ts";

const factories = {
  organizations: organizationsTable,
  dataKeys: dataKeysTable,
  orgKeys: orgKeysTable,
  keyUses: keyUsesTable,
  builds: buildsTable,
  leases: leasesTable,
  endings: endingsTable,
  bindings: bindingsTable,
  userKeys: userKeysTable,
  persons: personsTable,
  startOvers: startOversTable,
  handoffs: handoffsTable,
  sessions: sessionsTable,
  fingerprints: fingerprintsTable,
  tokens: tokensTable,
  idempotencyKeys: idempotencyKeysTable,
  jobs: jobsTable,
  auditEvents: auditEventsTable,
  auditHeads: auditHeadsTable,
  signingKeys: signingKeysTable,
  schedules: schedulesTable,
  providerLimits: providerLimitsTable,
  archives: archivesTable,
  transfers: transfersTable,
  writtenObjects: writtenObjectsTable,
  olderRows: olderRowsTable,
};

/** The queries of every table. */
export type Tables = { readonly [Name in keyof typeof factories]: ReturnType<(typeof factories)[Name]> };

/**
 * The queries of every table, on one database handle. A table's queries are built when it is first used: all of
 * them at once would take a tenth of the broker's start.
 */
export function createTables(database: Database, seals: Seals): Tables {
  const tables = {};
  for (const [name, create] of Object.entries(factories)) {
    Object.defineProperty(tables, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        const value = create(database, seals);
        Object.defineProperty(tables, name, { value, enumerable: true });
        return value;
      },
    });
  }
  // The cast holds because every name of the factories was defined just now, with what its factory returns.
  return tables as Tables;
}
