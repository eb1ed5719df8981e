import { newId } from "@keyloan/contract";
import { archiveDatabase, type ProvenArchive } from "@keyloan/database-provisioner";
import { type ArchiveRow, type LeaseRow, StoreError } from "@keyloan/store";
import type { JobHold } from "../../jobs/runner.ts";
import type { Services } from "../../services.ts";
import { openLease } from "../leases/lease-secrets.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";
import { withDataKey } from "../settings/open-values.ts";
import { type Archivable, archivableOf } from "./archivable.ts";
import { archiveMedium } from "./archive-medium.ts";
import { recordArchiveTrouble } from "./archive-trouble.ts";
import { clearOlderAttempts, giveUpAttempt } from "./give-up-attempt.ts";
import { keepHold, movedOn } from "./moved-on.ts";
import { recordVerified } from "./record-verified.ts";
import { isBeingMoved } from "./request-archive.ts";
import { makeScratch, scratchRequest, setWritable } from "./scratch-database.ts";
import { type WorkWatch, watchWork } from "./watch-work.ts";

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
    // It ended meanwhile, and its database with it; or its user has switched, and can go back to it.
    const isKept = await isKeptForUser(services, services.store.read, lease);
    if (lease.state !== "active" || isKept) return await finish(services, hold);
    await services.movingSlots.run(watch.signal, () => attempt(services, hold, { lease, archivable }, watch));
  } catch (error) {
    await recordArchiveTrouble(services, hold, lease, watch, error);
  } finally {
    watch.stop();
  }
}

export type Subject = { readonly lease: LeaseRow; readonly archivable: Archivable };

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
    if (await isKeptForUser(services, tables, lease)) throw movedOn();
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

async function finish({ store, now }: Services, { job }: JobHold): Promise<void> {
  await store.write((tables) => tables.jobs.finish(job.id, job.fence, "done", undefined, now()));
}
