import { type Connector, type OrgCredential, ProviderError, type SecretValues } from "@keyloan/contract";
import { openActiveOrgKey, reachOf } from "@keyloan/org-keys";
import type { LeaseRow } from "@keyloan/store";
import { byJob, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { backoffMs, isBusyForNow, withRetry } from "../../jobs/backoff.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { toStoredError } from "../leases/issue-lease.ts";
import { planned } from "../leases/planned-lease.ts";
import { followUp } from "../org-keys/sweep-org-keys.ts";
import { takeBack } from "./end-late.ts";
import { endOldResource, oldResourceVersion } from "./end-old-resource.ts";
import { flagLease } from "./flags.ts";
import { type Recorded, recordValues } from "./record-values.ts";

const firstRunWaitMs = 5_000;
const runWaitMsMax = 3_600_000;
/** Runs until a lease that cannot be moved is shown as such; it is tried on. */
const quietRunsMax = 8;
const changedWaitMs = 1_000;

/** Moves a lease from an older version of its org key to the one in use: its values are made anew with that one. */
export async function reissueLease(deps: Deps, hold: JobHold): Promise<void> {
  const { job } = hold;
  const lease = await deps.store.read.leases.find(job.entityId);
  const connector = lease === undefined ? undefined : deps.connectors.get(lease.connectorId);
  if (lease === undefined || connector === undefined) return finish(deps, hold);
  const left = oldResourceVersion(job.payload);
  if (left !== undefined) return endOldResource(deps, hold, connector, lease, left);
  const org = await openActiveOrgKey(deps, lease.connectorId);
  const isDone = lease.orgKeyVersion === null || org === undefined || lease.orgKeyVersion >= org.version;
  if (isDone) return finish(deps, hold, lease);
  if (lease.state === "archived") return moveArchived(deps, hold, lease, org.version);
  if (lease.state !== "active") return finish(deps, hold, lease);
  try {
    const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
    const values = await withRetry(deps, { untilMs, signal: hold.cancelled }, () =>
      mint(deps, connector, lease, org, hold.signal),
    );
    await record(deps, hold, connector, lease, org, values);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    await recordFailure(deps, hold, lease, error);
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
): Promise<void> {
  const { job } = hold;
  const endVersion = await versionToEnd(deps, connector, lease, org);
  const outcome: Recorded = await recordValues(deps, lease, {
    values,
    orgKeyVersion: org.version,
    by: byJob(job),
    action: "lease.reissued",
    details: { before: lease.orgKeyVersion, orgKeyVersion: org.version },
    keepJob: (tables) =>
      endVersion === undefined
        ? tables.jobs.finish(job.id, job.fence, "done", undefined, deps.now())
        : tables.jobs.setPayload(job.id, job.fence, { endVersion }),
  });
  if (outcome === "changed") {
    await deps.store.write([lease.id], (tables) =>
      tables.jobs.postpone(job.id, job.fence, deps.now() + changedWaitMs, "the lease changed meanwhile"),
    );
  }
  if (outcome === "ended") await takeBack(deps, hold, lease, org.version);
  if (outcome !== "recorded") return;
  if (endVersion === undefined)
    await deps.change(byJob(job), [lease.connectorId], (tx) => followUpOld(deps, tx, lease));
  else await endOldResource(deps, hold, connector, lease, endVersion);
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
async function moveArchived(deps: Deps, hold: JobHold, lease: LeaseRow, version: number): Promise<void> {
  const { job } = hold;
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    const versions = await tx.orgKeys.listVersions(deps.organizationId, lease.connectorId);
    const old = versions.find((row) => row.version === lease.orgKeyVersion);
    const current = versions.find((row) => row.version === version);
    const reaches = old !== undefined && current !== undefined && reachOf(old, current) === "same";
    if (!reaches && (await tx.archives.listByLease(lease.id)).some(({ droppedAt }) => droppedAt === null)) {
      await tx.jobs.postpone(job.id, job.fence, deps.now() + runWaitMsMax, "its database is not dropped yet");
      return;
    }
    if (!(await tx.jobs.finish(job.id, job.fence, "done", undefined, deps.now()))) return;
    await tx.leases.update(lease.id, ["archived"], { orgKeyVersion: version, lastError: null });
    await followUpOld(deps, tx, lease);
  });
}

async function recordFailure(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  error: ProviderError,
): Promise<void> {
  const { job } = hold;
  const now = deps.now();
  const waitMs = backoffMs(deps.randomBytes, job.attempts, firstRunWaitMs, runWaitMsMax);
  const runAfter = now + Math.max(waitMs, (error.retryAfterSeconds ?? 0) * 1000);
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    if (isBusyForNow(deps, job, error)) {
      await tx.jobs.postpone(job.id, job.fence, runAfter, error.code);
      return;
    }
    const held = error.retryable
      ? await tx.jobs.retry(job.id, job.fence, runAfter, error.code)
      : await tx.jobs.finish(job.id, job.fence, "failed", error.code, now);
    if (!held || (error.retryable && job.attempts < quietRunsMax)) return;
    if (lease.lastError?.code !== error.code) await flagLease(deps, tx, lease, toStoredError(error));
  });
}

async function finish(deps: Deps, { job }: JobHold, lease?: LeaseRow): Promise<void> {
  await deps.change(byJob(job), [job.entityId], async (tx) => {
    if (!(await tx.jobs.finish(job.id, job.fence, "done", undefined, deps.now()))) return;
    if (lease !== undefined) await followUpOld(deps, tx, lease);
  });
}

/** The version that the lease had may be used by nothing any more. */
async function followUpOld(deps: Deps, tx: Unit, lease: LeaseRow): Promise<void> {
  const versions = await tx.orgKeys.listVersions(deps.organizationId, lease.connectorId);
  const old = versions.find(({ version }) => version === lease.orgKeyVersion);
  if (old === undefined || old.state === "active" || old.fields === "") return;
  await followUp(deps, tx, old);
}
