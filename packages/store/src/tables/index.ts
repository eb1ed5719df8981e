import type { Database } from "../database.ts";
import { auditEventsTable } from "./audit-events.ts";
import { bindingsTable } from "./bindings.ts";
import { buildsTable } from "./builds.ts";
import { dataKeysTable } from "./data-keys.ts";
import { idempotencyKeysTable } from "./idempotency-keys.ts";
import { jobsTable } from "./jobs.ts";
import { leasesTable } from "./leases.ts";
import { orgKeysTable } from "./org-keys.ts";
import { organizationsTable } from "./organizations.ts";
import { tokensTable } from "./tokens.ts";

/** The queries of every table, on one database handle. */
export function createTables(database: Database) {
  return {
    organizations: organizationsTable(database),
    dataKeys: dataKeysTable(database),
    orgKeys: orgKeysTable(database),
    builds: buildsTable(database),
    leases: leasesTable(database),
    bindings: bindingsTable(database),
    tokens: tokensTable(database),
    idempotencyKeys: idempotencyKeysTable(database),
    jobs: jobsTable(database),
    auditEvents: auditEventsTable(database),
  };
}

export type Tables = ReturnType<typeof createTables>;
