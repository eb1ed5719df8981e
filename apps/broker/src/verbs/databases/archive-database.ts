import { newId } from "@keyloan/contract";
import { archiveDatabase, type ProvenArchive } from "@keyloan/database-provisioner";
import { type ArchiveRow, type LeaseRow, StoreError } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { withDataKey } from "../../sealing/data-key.ts";
import { openLease } from "../../sealing/lease-values.ts";
import { isKeptForUser } from "../lending/is-kept-for-user.ts";
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
export async function archiveLease(deps: Deps, hold: JobHold): Promise<void> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  const archivable = archivableOf(lease === undefined ? undefined : deps.connectors.get(lease.connectorId));
  if (lease === undefined || archivable === undefined) return finish(deps, hold);
  const watch = watchWork(deps, hold, { ...lease, state: "active" });
  try {
    await clearOlderAttempts(deps, hold, lease);
    // It ended meanwhile, and its database with it; or its user has switched, and can go back to it.
    const isKept = await isKeptForUser(deps, deps.store.read, lease);
    if (lease.state !== "active" || isKept) return await finish(deps, hold);
    await deps.movingSlots.run(watch.signal, () => attempt(deps, hold, { lease, archivable }, watch));
  } catch (error) {
    await recordArchiveTrouble(deps, hold, lease, watch, error);
  } finally {
    watch.stop();
  }
}

export type Subject = { readonly lease: LeaseRow; readonly archivable: Archivable };

async function attempt(
  deps: Deps,
  hold: JobHold,
  { lease, archivable }: Subject,
  watch: WorkWatch,
): Promise<void> {
  const archive = await beginAttempt(deps, hold, lease, archivable);
  try {
    const proven = await prove(deps, { lease, archivable }, archive, watch);
    await recordVerified(deps, hold, lease, archive, proven);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    await giveUpAttempt(deps, hold, { lease, archivable }, archive, error);
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
  await deps.store.write([buildId], async (tables) => {
    await keepHold(deps, hold, tables);
    if ((await tables.leases.find(lease.id))?.state !== "active") throw movedOn();
    if (await isBeingMoved(tables, lease)) throw movedOn();
    if (await isKeptForUser(deps, tables, lease)) throw movedOn();
    await tables.archives.insert(archive);
  });
  return archive;
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

async function finish({ store, now }: Deps, { job }: JobHold): Promise<void> {
  await store.write([job.entityId], (tables) =>
    tables.jobs.finish(job.id, job.fence, "done", undefined, now()),
  );
}
