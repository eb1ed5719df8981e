import { newId } from "@keyloan/contract";
import { archiveDatabase, type ProvenArchive } from "@keyloan/database-provisioner";
import { type ArchiveRow, type LeaseRow, StoreError } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, failed, type Outcome } from "../../queue/outcome.ts";
import { step } from "../../queue/step.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";
import { type Archivable, archivableOf } from "./archivable.ts";
import { archiveMedium } from "./archive-medium.ts";
import { askAboutDatabase, databaseFailure, stopped } from "./database-job.ts";
import { clearOlderAttempts, giveUpAttempt } from "./give-up-attempt.ts";
import { MovedOn, movedOn } from "./moved-on.ts";
import { recordVerified } from "./record-verified.ts";
import { isBeingMoved, movingDeadlineSeconds } from "./request-archive.ts";
import { makeScratch, scratchRequest, setWritable } from "./scratch-database.ts";
import { tellFailure } from "./tell-failure.ts";
import { type WorkWatch, wasStopped, watchWork } from "./watch-work.ts";

/**
 * Archives the database of a lease: stops its writes, seals its content into the store of archives, and releases
 * it only when what is stored was loaded elsewhere and found equal. It may be run again after a crash at any
 * instant: each attempt has an id, a file and a scratch database of its own, and the next clears them away.
 */
export const archiveJob = defineJob({
  run: archiveLease,
  deadlineSeconds: movingDeadlineSeconds,
  movesContent: true,
  retry: { firstSeconds: 60, mostSeconds: 1_800, runs: 5, unfinishedRuns: 10 },
  giveUp: {
    ask: askAboutDatabase("could not be archived and cannot be written to yet"),
    keepsTrying: true,
    onlyUnfinished: true,
  },
  onError: explainArchive,
});

async function archiveLease(deps: Deps, hold: JobHold): Promise<Outcome> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  const archivable = archivableOf(lease === undefined ? undefined : deps.connectors.get(lease.connectorId));
  if (lease === undefined || archivable === undefined) return done();
  const watch = watchWork(deps, hold, { ...lease, state: "active" });
  try {
    await clearOlderAttempts(deps, hold, lease);
    // It ended meanwhile, and its database with it; or its user has switched, and can go back to it.
    const isKept = await isKeptForUser(deps, deps.store.read, lease);
    if (lease.state !== "active" || isKept) return done();
    return await deps.movingSlots.run(watch.signal, () => attempt(deps, hold, { lease, archivable }, watch));
  } catch (error) {
    if (wasStopped(watch)) return stopped(deps);
    throw error;
  } finally {
    watch.stop();
  }
}

/** What is left of an attempt keeps the database from being written to: only another run clears it away. */
async function explainArchive(deps: Deps, hold: JobHold, error: unknown): Promise<Outcome> {
  if (error instanceof MovedOn) return stopped(deps);
  const { entityId } = hold.job;
  const archives = await deps.store.read.archives.listByLease(entityId);
  const lease = await deps.store.read.leases.find(entityId);
  const isUnfinished = archives.some(({ state }) => state === "writing");
  const failure = databaseFailure(deps, hold, error);
  return failed({ ...failure, isUnfinished }, async (tx, lastError, verdict) => {
    await tx.leases.update(entityId, ["active"], { lastError });
    if (verdict === "gave_up" && !isUnfinished && lease !== undefined)
      tellFailure(tx, hold.job, lease, lastError);
  });
}

export type Subject = { readonly lease: LeaseRow; readonly archivable: Archivable };

async function attempt(
  deps: Deps,
  hold: JobHold,
  { lease, archivable }: Subject,
  watch: WorkWatch,
): Promise<Outcome> {
  const archive = await beginAttempt(deps, hold, lease, archivable);
  const giveUp = (why: unknown) => giveUpAttempt(deps, hold, { lease, archivable }, archive, why);
  try {
    const proven = await prove(deps, { lease, archivable }, archive, watch);
    return done(
      (tx) => recordVerified(deps, tx, lease, archive, proven),
      (why) => giveUp(why ?? movedOn()),
    );
  } catch (error) {
    if (error instanceof StoreError) throw error;
    await giveUp(error);
    throw error;
  }
}

/** The row comes before everything it names, so that nothing is ever made that no row knows. */
async function beginAttempt(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  { database }: Archivable,
): Promise<ArchiveRow> {
  const id = newId("archive", deps.randomBytes);
  const createdAt = deps.now();
  const { buildId, connectorId } = lease;
  const archive: ArchiveRow = {
    ...{ id, buildId, leaseId: lease.id, connectorId, state: "writing", location: id, createdAt },
    ...{ bytes: null, sha256: null, summary: null, lastError: null },
    ...{ verifiedAt: null, droppedAt: null, restoredAt: null, restoredLeaseId: null },
    scratchHandle: database.plan(scratchRequest(id, lease, createdAt)),
  };
  const begun = await step(deps, hold, async (tx) => {
    if ((await tx.leases.find(lease.id))?.state !== "active") throw movedOn();
    if (await isBeingMoved(tx, lease)) throw movedOn();
    if (await isKeptForUser(deps, tx, lease)) throw movedOn();
    await tx.archives.insert(archive);
    return archive;
  });
  if (begun === undefined) throw movedOn();
  return begun;
}

async function prove(
  deps: Deps,
  { lease, archivable }: Subject,
  archive: ArchiveRow,
  watch: WorkWatch,
): Promise<ProvenArchive> {
  const { connector, content } = archivable;
  const { env, buildId } = lease;
  if (env === null) throw movedOn();
  const values = await withDataKey(deps, buildId, (key) => openLease(key, lease.id, env));
  watch.report({ phase: "freezing" });
  await setWritable(deps, archivable, lease, false, watch.signal);
  return archiveDatabase({
    content,
    source: { context: deps.contextFor(connector, watch.signal), values },
    makeScratch: () => makeScratch(deps, archivable, lease, archive, watch.signal),
    medium: archiveMedium(deps, archive, watch.signal),
    onProgress: watch.report,
  });
}
