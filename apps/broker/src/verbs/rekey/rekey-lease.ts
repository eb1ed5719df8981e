import { type Connector, type OrgCredential, ProviderError, type SecretValues } from "@keyloan/contract";
import { openActiveOrgKey, reachOf } from "@keyloan/org-keys";
import type { LeaseRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { again, done, failed, type Outcome } from "../../queue/outcome.ts";
import { planned } from "../leases/planned-lease.ts";
import { recordValues } from "../leases/record-values.ts";
import { takeBack } from "../leases/take-back.ts";
import { followUp } from "../org-keys/sweep-org-keys.ts";
import { endOldResource, oldResourceVersion } from "./end-old-resource.ts";
import { flagLease } from "./flag-lease.ts";

const changedWaitMs = 1_000;
const undroppedWaitMs = 3_600_000;
/** Runs until a lease that cannot be moved is shown as such; it is tried on. */
const quietRunsMax = 8;

/** Moves a lease from an older version of its org key to the one in use: its values are made anew with that one. */
export const rekeyJob = defineJob({
  run: rekeyLease,
  retry: { firstSeconds: 10, mostSeconds: 3_600, runs: Number.POSITIVE_INFINITY },
  giveUp: "fail",
});

async function rekeyLease(deps: Deps, hold: JobHold): Promise<Outcome> {
  const { job } = hold;
  const lease = await deps.store.read.leases.find(job.entityId);
  const connector = lease === undefined ? undefined : deps.connectors.get(lease.connectorId);
  if (lease === undefined || connector === undefined) return done();
  const left = oldResourceVersion(job.payload);
  if (left !== undefined) return endOldResource(deps, hold, connector, lease, left);
  const org = await openActiveOrgKey(deps, lease.connectorId);
  const isDone = lease.orgKeyVersion === null || org === undefined || lease.orgKeyVersion >= org.version;
  if (isDone) return done((tx) => followUpOld(deps, tx, lease));
  if (lease.state === "archived") return moveArchived(deps, lease, org.version);
  if (lease.state !== "active") return done((tx) => followUpOld(deps, tx, lease));
  try {
    const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
    const values = await withRetry(deps, { untilMs, signal: hold.cancelled }, () =>
      mint(deps, connector, lease, org, hold.signal),
    );
    return await record(deps, hold, connector, lease, org, values);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return failed(error, async (tx, stored, verdict) => {
      if (verdict === "postponed" || (verdict === "again" && job.attempts < quietRunsMax)) return;
      if (lease.lastError?.code !== stored.code) await flagLease(deps, tx, lease, stored);
    });
  }
}

/** New values for what the lease has; `issue` adopts what exists under the planned names. */
function mint(
  deps: Deps,
  connector: Connector,
  lease: LeaseRow,
  org: OrgCredential,
  signal: AbortSignal,
): Promise<SecretValues> {
  const issuer = issuerOf(deps, connector);
  const make = issuer.renew ?? issuer.issue;
  return make(deps.contextFor(connector, signal), org, planned(lease));
}

async function record(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  org: OrgCredential,
  values: SecretValues,
): Promise<Outcome> {
  const endVersion = await versionToEnd(deps, connector, lease, org);
  const outcome = await recordValues(deps, hold, lease, {
    values,
    orgKeyVersion: org.version,
    action: "lease.reissued",
    details: { before: lease.orgKeyVersion, orgKeyVersion: org.version },
    ...(endVersion === undefined ? {} : { payload: { endVersion } }),
  });
  if (outcome === "changed") return again(deps.now() + changedWaitMs, "the lease changed meanwhile");
  if (outcome === "ended") await takeBack(deps, hold, lease, org.version);
  if (outcome !== "recorded") return done();
  return endVersion === undefined
    ? done((tx) => followUpOld(deps, tx, lease))
    : endOldResource(deps, hold, connector, lease, endVersion);
}

/** A shared key of another account leaves behind what the lease owned in the old one. */
async function versionToEnd(
  deps: Deps,
  connector: Connector,
  lease: LeaseRow,
  org: OrgCredential,
): Promise<number | undefined> {
  if (connector.spec.grade !== "E" || Object.keys(lease.handle).length === 0) return undefined;
  const versions = await deps.store.read.orgKeys.listVersions(deps.organizationId, lease.connectorId);
  const old = versions.find(({ version }) => version === lease.orgKeyVersion);
  const current = versions.find(({ version }) => version === org.version);
  if (old === undefined || current === undefined || reachOf(old, current) !== "other") return undefined;
  return old.version;
}

/**
 * An archived lease holds nothing once its database is dropped; until then a key of the same account drops it. One
 * of another account waits for the drop.
 */
async function moveArchived(deps: Deps, lease: LeaseRow, version: number): Promise<Outcome> {
  const { orgKeys, archives } = deps.store.read;
  const versions = await orgKeys.listVersions(deps.organizationId, lease.connectorId);
  const old = versions.find((row) => row.version === lease.orgKeyVersion);
  const current = versions.find((row) => row.version === version);
  const reaches = old !== undefined && current !== undefined && reachOf(old, current) === "same";
  const isDropped = async () =>
    (await archives.listByLease(lease.id)).every(({ droppedAt }) => droppedAt !== null);
  if (!reaches && !(await isDropped()))
    return again(deps.now() + undroppedWaitMs, "its database is not dropped yet");
  return done(async (tx) => {
    await tx.leases.update(lease.id, ["archived"], { orgKeyVersion: version, lastError: null });
    await followUpOld(deps, tx, lease);
  });
}

/** The version that the lease had may be used by nothing any more. */
async function followUpOld(deps: Deps, tx: Unit, lease: LeaseRow): Promise<void> {
  const versions = await tx.orgKeys.listVersions(deps.organizationId, lease.connectorId);
  const old = versions.find(({ version }) => version === lease.orgKeyVersion);
  if (old === undefined || old.state === "active" || old.fields === "") return;
  await followUp(deps, tx, old);
}
