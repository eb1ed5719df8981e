import { reachOf } from "@keyloan/org-keys";
import type { LeaseRow, OrgKeyRow, StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, type Outcome } from "../../queue/outcome.ts";
import { step } from "../../queue/step.ts";
import { followUp } from "../org-keys/sweep-org-keys.ts";
import { flagNotice } from "./flag-lease.ts";

const pageSize = 100;

/**
 * Plans the move of everything that lives on older versions of an org key: a job for each lease that the new
 * version can serve, a flag for each that it cannot. Page by page, so that ten thousand of them hold up nobody;
 * a run that was cut short is finished by the next.
 */
export const planRekeyJob = defineJob({
  run: planRekey,
  deadlineSeconds: 600,
  retry: { firstSeconds: 10, mostSeconds: 600, runs: Number.POSITIVE_INFINITY },
  giveUp: "fail",
});

async function planRekey(deps: Deps, hold: JobHold): Promise<Outcome> {
  const row = await deps.store.read.orgKeys.find(hold.job.entityId);
  if (row?.state !== "active") return done();
  const planned = { leases: 0, flagged: 0 };
  const versions = await deps.store.read.orgKeys.listVersions(deps.organizationId, row.connectorId);
  for (let afterId: string | undefined = ""; afterId !== undefined; ) {
    hold.signal.throwIfAborted();
    const from: string = afterId;
    const page = await step(deps, hold, (tx) => planPage(deps, tx, row, versions, from));
    planned.leases += page?.leases ?? 0;
    planned.flagged += page?.flagged ?? 0;
    afterId = page?.lastId;
  }
  return done((tx) => recordPlan(deps, tx, row, planned));
}

async function planPage(
  deps: Deps,
  tx: Unit,
  row: OrgKeyRow,
  versions: readonly OrgKeyRow[],
  afterId: string,
): Promise<{ readonly leases: number; readonly flagged: number; readonly lastId: string | undefined }> {
  const { connectorId, version } = row;
  const query = { flagged: true, afterId, limit: pageSize };
  const leases = await tx.keyUses.listToRekey(connectorId, version, query);
  let planned = 0;
  let flagged = 0;
  for (const lease of leases) {
    const error = unreachable(deps, lease, row, versions);
    if (error === undefined) {
      const { id: entityId, buildId } = lease;
      tx.job({ kind: "rekey", entityId, buildId, connectorId }, deps.now());
      planned += 1;
    } else if (lease.lastError?.code !== error.code) {
      await tx.leases.update(lease.id, [lease.state], { lastError: error });
      const details = { connector: connectorId, version: lease.orgKeyVersion, code: error.code };
      tx.audit("lease.flagged", lease.buildId, details);
      flagged += 1;
    }
  }
  return { leases: planned, flagged, lastId: leases.length < pageSize ? undefined : leases.at(-1)?.id };
}

/** Why the new version cannot serve a lease of an older one; nothing when it can be tried. */
function unreachable(
  deps: Deps,
  lease: LeaseRow,
  row: OrgKeyRow,
  versions: readonly OrgKeyRow[],
): StoredLeaseError | undefined {
  const spec = deps.connectors.get(row.connectorId)?.spec;
  // A shared key is the value itself: whatever account it is of, the lease gets the new one.
  if (spec?.grade === "E") return undefined;
  const own = versions.find(({ version }) => version === lease.orgKeyVersion);
  const reach = own === undefined ? "unknown" : reachOf(own, row);
  if (reach === "same") return undefined;
  const provider = row.connectorId;
  const rest = {
    provider,
    remedy: `Keep the key of version ${lease.orgKeyVersion} alive until the build ends, or make the build again.`,
    retryable: false,
  };
  return reach === "other"
    ? { ...rest, code: "other_account", message: `${provider}: the new org key belongs to another account` }
    : {
        ...rest,
        code: "account_unknown",
        message: `${provider}: it is not known whether the new org key belongs to the same account`,
      };
}

async function recordPlan(
  deps: Deps,
  tx: Unit,
  row: OrgKeyRow,
  planned: { readonly leases: number; readonly flagged: number },
): Promise<void> {
  const { connectorId, version } = row;
  tx.audit("org_key.reissue_planned", connectorId, { version, ...planned });
  if (planned.flagged > 0) tx.notice(flagNotice(connectorId, planned.flagged));
  for (const older of await tx.orgKeys.listUnproven(deps.organizationId)) {
    if (older.connectorId === connectorId) await followUp(deps, tx, older);
  }
}
