import { newId, ProviderError } from "@keyloan/contract";
import { archiveDatabase, countRows, type ProvenArchive } from "@keyloan/database-provisioner";
import {
  type ArchiveRow,
  type LeaseRow,
  type StoredLeaseError,
  StoreError,
  type Tables,
} from "@keyloan/store";
import { backoffMs } from "../../jobs/backoff.ts";
import { holdMs, newHeldJob } from "../../jobs/new-job.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { noticeJob } from "../../notify/notice.ts";
import { describeError } from "../../observe/logger.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";
import { openLease } from "../leases/lease-secrets.ts";
import { withDataKey } from "../settings/open-values.ts";
import { type Archivable, archivableOf } from "./archivable.ts";
import { archiveMedium } from "./archive-medium.ts";
import { toDatabaseError } from "./database-errors.ts";
import { clearAttempt, recordCleared } from "./end-attempt.ts";
import { isBeingMoved } from "./request-archive.ts";
import { makeScratch, scratchRequest, setWritable } from "./scratch-database.ts";
import { type WorkWatch, watchWork } from "./watch-work.ts";

const runsMax = 5;
const firstWaitMs = 30_000;
const waitMsMax = 1_800_000;
const clearDeadlineMs = 120_000;
/** A build that is closing waits for it, and ends everything anyway. */
const stoppedDeadlineMs = 10_000;
const stoppedWaitMs = 5_000;

/**
 * Archives the database of a lease: stops its writes, seals its content into the store of archives, and lets go of
 * it only when what is stored was loaded elsewhere and found equal. It may be run again after a crash at any
 * instant: each attempt has an id, a file and a scratch database of its own, and the next clears them away.
 */
export async function archiveLease(services: Services, hold: JobHold): Promise<void> {
  const lease = await services.store.read.leases.find(hold.job.entityId);
  const archivable = archivableOf(
    lease === undefined ? undefined : services.connectors.get(lease.connectorId),
  );
  if (lease === undefined || archivable === undefined) return finish(services, hold);
  const watch = watchWork(services, hold, { ...lease, state: "active" });
  try {
    await clearOlderAttempts(services, hold, lease);
    // It ended meanwhile, and its database with it.
    if (lease.state !== "active") return await finish(services, hold);
    await services.movingSlots.run(watch.signal, () => attempt(services, hold, { lease, archivable }, watch));
  } catch (error) {
    await recordTrouble(services, hold, lease, watch, error);
  } finally {
    watch.stop();
  }
}

type Subject = { readonly lease: LeaseRow; readonly archivable: Archivable };

async function attempt(
  services: Services,
  hold: JobHold,
  { lease, archivable }: Subject,
  watch: WorkWatch,
): Promise<void> {
  const archive = await beginAttempt(services, hold, lease, archivable);
  try {
    const proven = await prove(services, { lease, archivable }, archive, watch);
    await recordVerified(services, hold, lease, archive, proven);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    await giveUpAttempt(services, hold, { lease, archivable }, archive, error);
    throw error;
  }
}

/** The row comes before everything it names, so that nothing is ever made that no row knows. */
async function beginAttempt(
  services: Services,
  hold: JobHold,
  lease: LeaseRow,
  { database }: Archivable,
): Promise<ArchiveRow> {
  const id = newId("archive", services.randomBytes);
  const createdAt = services.now();
  const { buildId, connectorId } = lease;
  const archive: ArchiveRow = {
    ...{ id, buildId, leaseId: lease.id, connectorId, state: "writing", location: id, createdAt },
    ...{ bytes: null, sha256: null, summary: null, lastError: null },
    ...{ verifiedAt: null, droppedAt: null, restoredAt: null, restoredLeaseId: null },
    scratchHandle: database.plan(scratchRequest(id, lease, createdAt)),
  };
  await services.store.write(async (tables) => {
    await keepHold(services, hold, tables);
    if ((await tables.leases.find(lease.id))?.state !== "active") throw movedOn();
    if (await isBeingMoved(tables, lease)) throw movedOn();
    await tables.archives.insert(archive);
  });
  return archive;
}

async function prove(
  services: Services,
  { lease, archivable }: Subject,
  archive: ArchiveRow,
  watch: WorkWatch,
): Promise<ProvenArchive> {
  const { connector, content } = archivable;
  const { env, buildId } = lease;
  if (env === null) throw movedOn();
  const values = await withDataKey(services, buildId, (key) => openLease(key, buildId, lease.id, env));
  watch.report({ phase: "freezing" });
  await setWritable(services, archivable, lease, false, watch.signal);
  return archiveDatabase({
    content,
    source: { context: services.contextFor(connector, watch.signal), values },
    makeScratch: () => makeScratch(services, archivable, lease, archive, watch.signal),
    medium: archiveMedium(services, archive, watch.signal),
    onProgress: watch.report,
  });
}

async function recordVerified(
  services: Services,
  hold: JobHold,
  lease: LeaseRow,
  archive: ArchiveRow,
  { bytes, sha256, summary }: ProvenArchive,
): Promise<void> {
  const { job } = hold;
  const { buildId, connectorId } = lease;
  const verifiedAt = services.now();
  const drop = newHeldJob(services, { kind: "drop-archived", entityId: archive.id, buildId, connectorId });
  await services.store.write(async (tables) => {
    if (!(await tables.jobs.finish(job.id, job.fence, "done", undefined, verifiedAt))) throw movedOn();
    if (await isBeingMoved(tables, lease)) throw movedOn();
    const verified = { state: "verified", bytes, sha256, summary, verifiedAt, lastError: null } as const;
    const archived = { state: "archived", env: null, lastError: null } as const;
    if (!(await tables.archives.update(archive.id, ["writing"], verified))) throw movedOn();
    if (!(await tables.leases.update(lease.id, ["active"], archived))) throw movedOn();
    await tables.jobs.insertAll([drop]);
    const rows = countRows(summary);
    const details = { connector: connectorId, lease: lease.id, archive: archive.id, bytes, rows, sha256 };
    const actor = { kind: "job", jobId: job.id } as const;
    await tables.auditEvents.insertAll([
      auditRow(services, { actor, action: "database.archived", entity: buildId, details }),
    ]);
  });
  void services.runner.run(buildId, [drop]);
}

/** Lets the database be written to again and clears the attempt away; what fails of it is done by the next run. */
async function giveUpAttempt(
  services: Services,
  { job, cancelled }: JobHold,
  { lease, archivable }: Subject,
  archive: ArchiveRow,
  why: unknown,
): Promise<void> {
  const signal = AbortSignal.timeout(cancelled.aborted ? stoppedDeadlineMs : clearDeadlineMs);
  const isOurs = await services.store.write((tables) =>
    tables.jobs.extend(job.id, job.fence, services.now() + holdMs),
  );
  const [freed, cleared] = await Promise.allSettled([
    // Another worker that has the job by now stops the writes for itself.
    isOurs ? thaw(services, archivable, lease, signal) : undefined,
    clearAttempt(services, lease, archive, signal),
  ]);
  const failed = [freed, cleared].find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) {
    const line = { archiveId: archive.id, ...describeError(failed.reason) };
    services.logger.warn(line, "an archive is not cleared away yet; it is tried again");
    return;
  }
  const error = toDatabaseError(why, lease.connectorId);
  await services.store.write(async (tables) => {
    if (await tables.jobs.extend(job.id, job.fence, services.now() + holdMs))
      await recordCleared(services, tables, archive, error);
  });
}

/** Lets the database be written to again, unless it ended or somebody else stops its writes now. */
async function thaw(services: Services, archivable: Archivable, lease: LeaseRow, signal: AbortSignal) {
  const { leases, transfers } = services.store.read;
  if ((await leases.find(lease.id))?.state !== "active") return;
  const rows = await transfers.listByBuild(lease.buildId);
  if (rows.some(({ leaseId, frozenAt }) => leaseId === lease.id && frozenAt !== null)) return;
  await setWritable(services, archivable, lease, true, signal);
}

/** What a run before this one left, because its process died or could not clear it. */
async function clearOlderAttempts(services: Services, hold: JobHold, lease: LeaseRow): Promise<void> {
  const archives = await services.store.read.archives.listByLease(lease.id);
  const archivable = archivableOf(services.connectors.get(lease.connectorId));
  const signal = AbortSignal.any([hold.signal, AbortSignal.timeout(clearDeadlineMs)]);
  for (const archive of archives.filter(({ state }) => state === "writing")) {
    if (archivable !== undefined) await thaw(services, archivable, lease, signal);
    await clearAttempt(services, lease, archive, signal);
    await services.store.write(async (tables) => {
      await keepHold(services, hold, tables);
      await recordCleared(services, tables, archive, { message: "the attempt was broken off" });
    });
  }
}

/** Decides what becomes of a run that did not end well; what it had made is cleared, or known to be left. */
async function recordTrouble(
  services: Services,
  { job }: JobHold,
  lease: LeaseRow,
  watch: WorkWatch,
  error: unknown,
): Promise<void> {
  if (error instanceof StoreError) throw error;
  const { store, now } = services;
  if (watch.wasStopped() || error instanceof MovedOn) {
    const runAfter = now() + stoppedWaitMs;
    await store.write((tables) => tables.jobs.postpone(job.id, job.fence, runAfter, "stopped"));
    return;
  }
  const lastError = toDatabaseError(error, lease.connectorId);
  if (lastError.code === "internal") {
    services.logger.error({ leaseId: lease.id, ...describeError(error) }, "archiving broke");
  }
  const isLeft = (await store.read.archives.listByLease(lease.id)).some(({ state }) => state === "writing");
  const again = isLeft || (lastError.retryable && job.attempts < runsMax);
  const waitMs = backoffMs(services.randomBytes, job.attempts, firstWaitMs, waitMsMax);
  const retryAfterMs = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  await store.write(async (tables) => {
    const kept = again
      ? await tables.jobs.retry(job.id, job.fence, now() + Math.max(waitMs, retryAfterMs), lastError.code)
      : await tables.jobs.finish(job.id, job.fence, "failed", lastError.code, now());
    if (!kept) return;
    await tables.leases.update(lease.id, ["active"], { lastError });
    if (!again) await tellFailure(services, tables, job.id, lease, lastError);
  });
}

async function tellFailure(
  services: Services,
  tables: Tables,
  jobId: string,
  { buildId, connectorId, id }: LeaseRow,
  { code, message, remedy }: StoredLeaseError,
): Promise<void> {
  const details = { connector: connectorId, lease: id, code, message };
  const actor = { kind: "job", jobId } as const;
  await tables.auditEvents.insertAll([
    auditRow(services, { actor, action: "database.archive_failed", entity: buildId, details }),
  ]);
  const text = `A database of ${connectorId} could not be archived, so it stays as it is: ${message}.`;
  const about = { buildId, connectorId, jobId };
  await tables.jobs.insertAll([
    noticeJob(services, { type: "database.archive_failed", message: text, remedy, ...about }),
  ]);
}

/** The lease, its build or the job is not as it was: whoever changed it goes on. */
class MovedOn extends Error {
  override readonly name = "MovedOn";
}

function movedOn(): MovedOn {
  return new MovedOn("the lease or its job has moved on");
}

async function keepHold({ now }: Services, { job }: JobHold, tables: Tables): Promise<void> {
  if (!(await tables.jobs.extend(job.id, job.fence, now() + holdMs))) throw movedOn();
}

async function finish({ store, now }: Services, { job }: JobHold): Promise<void> {
  await store.write((tables) => tables.jobs.finish(job.id, job.fence, "done", undefined, now()));
}
