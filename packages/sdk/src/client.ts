import {
  type CatalogApi,
  catalogApi,
  type HealthApi,
  healthApi,
  type OrgKeysApi,
  orgKeysApi,
  type RootKeyApi,
  rootKeyApi,
  type TokensApi,
  tokensApi,
} from "./administration.ts";
import { type AuditApi, auditApi } from "./audit.ts";
import { type BuildsApi, buildsApi } from "./builds.ts";
import { type Caller, type ClientOptions, createCaller } from "./call.ts";
import { type DatabasesApi, databasesApi } from "./databases.ts";
import { type JobsApi, jobsApi } from "./jobs.ts";
import { type LeasesApi, leasesApi } from "./leases.ts";
import { type RollbackApi, rollbackApi } from "./rollback.ts";
import { type ReconcileApi, type RotationsApi, reconcileApi, rotationsApi } from "./rotation.ts";
import { type TransfersApi, transfersApi } from "./transfers.ts";

export type Client = {
  readonly builds: BuildsApi;
  readonly leases: LeasesApi;
  readonly orgKeys: OrgKeysApi;
  readonly tokens: TokensApi;
  readonly catalog: CatalogApi;
  readonly audit: AuditApi;
  readonly health: HealthApi;
  readonly rootKey: RootKeyApi;
  readonly jobs: JobsApi;
  readonly rollback: RollbackApi;
  readonly transfers: TransfersApi;
  readonly databases: DatabasesApi;
  readonly rotations: RotationsApi;
  readonly reconcile: ReconcileApi;
};

/**
 * A client of one broker. Nothing is sent before the first call.
 * @throws KeyloanError `invalid_url`, `insecure_url` or `invalid_token`; every call throws KeyloanError too
 */
export function createClient(options: ClientOptions): Client {
  return clientOver(createCaller(options));
}

/** The client over a caller that exists already. */
export function clientOver(caller: Caller): Client {
  return {
    builds: buildsApi(caller),
    leases: leasesApi(caller),
    orgKeys: orgKeysApi(caller),
    tokens: tokensApi(caller),
    catalog: catalogApi(caller),
    audit: auditApi(caller),
    health: healthApi(caller),
    rootKey: rootKeyApi(caller),
    jobs: jobsApi(caller),
    transfers: transfersApi(caller),
    databases: databasesApi(caller),
    rollback: rollbackApi(caller),
    rotations: rotationsApi(caller),
    reconcile: reconcileApi(caller),
  };
}
