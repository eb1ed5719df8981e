import { BrokerError, type SecretValues } from "@keyloan/contract";
import { isEmptyDatabase, restoreDatabase } from "@keyloan/database-provisioner";
import type { ArchiveRow, ClaimedJob, LeaseRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, failed, type Outcome } from "../../queue/outcome.ts";
import { sealLease } from "../../sealing/lease-values.ts";
import { endLeases } from "../leases/end-leases.ts";
import { markReadyWhenComplete } from "../leases/mark-ready.ts";
import { credentialToIssue } from "../leases/org-credential.ts";
import { planned } from "../leases/planned-lease.ts";
import { recordFingerprints } from "../leases/record-fingerprints.ts";
import { takeBack } from "../leases/take-back.ts";
import { type Archivable, archivableOf } from "./archivable.ts";
import { archiveMedium } from "./archive-medium.ts";
import { databaseFailure, stopped } from "./database-job.ts";
import { addRemoval } from "./remove-archive.ts";
import { movingDeadlineSeconds } from "./request-archive.ts";
import { tellFailure } from "./tell-failure.ts";
import { type WorkWatch, wasStopped, watchWork } from "./watch-work.ts";

type Restoring = {
  /** The new one. */
  readonly lease: LeaseRow;
  readonly archive: ArchiveRow;
  readonly archived: LeaseRow;
  readonly archivable: Archivable;
};

type Issued = { readonly values: SecretValues; readonly orgKeyVersion: number };

/**
 * Makes a new database, fills it from an archive, and lets the build use it when it holds what was archived. It may
 * be run again after a crash at any instant: what is there under the planned name is emptied and filled anew.
 */
export const restoreJob = defineJob({
  run: restoreLease,
  deadlineSeconds: movingDeadlineSeconds,
  movesContent: true,
  retry: { firstSeconds: 10, mostSeconds: 600, runs: 5 },
  giveUp: "fail",
  onError: explainRestore,
});

async function restoreLease(deps: Deps, hold: JobHold): Promise<Outcome> {
  const restoring = await findRestoring(deps, hold.job);
  if (restoring === undefined) return done();
  const watch = watchWork(deps, hold, restoring.lease);
  try {
    const issued = await deps.movingSlots.run(watch.signal, () => fill(deps, restoring, watch));
    return done(
      (tx) => record(deps, tx, hold, restoring, issued),
      () => takeBack(deps, hold, restoring.lease, issued.orgKeyVersion),
    );
  } catch (error) {
    if (wasStopped(watch)) return stopped(deps);
    throw error;
  } finally {
    watch.stop();
  }
}

/** Tried again; when that is over, the new database ends and the archive stays as it is, for the next try. */
async function explainRestore(deps: Deps, hold: JobHold, error: unknown): Promise<Outcome> {
  const restoring = await findRestoring(deps, hold.job);
  return failed(databaseFailure(deps, hold, error), async (tx, lastError, verdict) => {
    if (restoring === undefined) return;
    const { lease, archived } = restoring;
    await tx.leases.update(lease.id, ["planned"], { lastError });
    if (verdict !== "gave_up") return;
    await tx.leases.update(archived.id, ["archived"], { lastError });
    tellFailure(tx, hold.job, lease, lastError);
    await endLeases(deps, tx, [lease]);
  });
}

async function findRestoring(deps: Deps, job: ClaimedJob): Promise<Restoring | undefined> {
  const { leases, archives } = deps.store.read;
  const lease = await leases.find(job.entityId);
  const archive = await archives.find(String(job.payload?.archiveId));
  const archived = archive === undefined ? undefined : await leases.find(archive.leaseId);
  const archivable = archivableOf(deps.connectors.get(job.connectorId ?? ""));
  if (lease?.state !== "planned" || archive === undefined || archived === undefined) return undefined;
  return archivable === undefined ? undefined : { lease, archive, archived, archivable };
}

async function fill(deps: Deps, restoring: Restoring, watch: WorkWatch): Promise<Issued> {
  const { lease, archive, archivable } = restoring;
  const { bytes, sha256, summary } = archive;
  if (archive.state !== "verified" || bytes === null || sha256 === null || summary === null) throw notThere();
  const { connector, content } = archivable;
  const context = deps.contextFor(connector, watch.signal);
  const limits = {
    untilMs: deps.now() + deps.config.issueDeadlineSeconds * 1000,
    signal: watch.signal,
  };
  const issued = await withRetry(deps, limits, async () => {
    const org = await credentialToIssue(deps, connector);
    const values = await issuerOf(deps, connector).issue(context, org, planned(lease));
    return { values, orgKeyVersion: org.version };
  });
  const target = { context, values: issued.values };
  // What a run before this one has put there.
  if (!(await isEmptyDatabase(content, target))) await content.empty(context, issued.values);
  await restoreDatabase({
    content,
    target,
    medium: archiveMedium(deps, archive, watch.signal),
    archive: { bytes, sha256, summary },
    onProgress: watch.report,
  });
  return issued;
}

/** @returns false, with nothing written, when it is not wanted any more */
async function record(
  deps: Deps,
  tx: Unit,
  { job }: JobHold,
  { lease, archive, archived }: Restoring,
  { values, orgKeyVersion }: Issued,
): Promise<boolean> {
  const { buildId, connectorId } = lease;
  const restoredAt = deps.now();
  const dataKey = await tx.dataKeys.findByOwner(buildId);
  const isWanted = (await tx.leases.find(lease.id))?.state === "planned";
  const isThere = (await tx.archives.find(archive.id))?.state === "verified";
  if (dataKey === undefined || !isWanted || !isThere) return false;
  const env = sealLease(deps, dataKey, lease.id, values);
  const { attempts } = job;
  await tx.leases.markIssued(lease.id, { env, orgKeyVersion, issuedAt: restoredAt, attempts });
  await tx.bindings.changeLease(buildId, connectorId, archived.id, lease.id);
  const restored = { state: "restored", restoredAt, restoredLeaseId: lease.id } as const;
  await tx.archives.update(archive.id, ["verified"], restored);
  addRemoval(deps, tx, archive);
  const specs = deps.connectors.get(connectorId)?.spec.env ?? [];
  await recordFingerprints(deps, tx, lease.id, specs, values);
  const details = {
    ...{ connector: connectorId, archive: archive.id, lease: lease.id, before: archived.id },
    ...{ names: Object.keys(values), resource: lease.handle },
  };
  tx.audit("database.restored", buildId, details);
  await markReadyWhenComplete(tx, buildId);
  await endLeases(deps, tx, [archived]);
  return true;
}

function notThere(): BrokerError {
  return new BrokerError("conflict", "the archive has been restored or removed meanwhile", {
    remedy: "See the state of the database with `keyloan db list`.",
  });
}
