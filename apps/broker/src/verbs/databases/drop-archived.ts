import { verifyFile } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { handsNotice } from "../../jobs/hands.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";
import { archiveMedium } from "./archive-medium.ts";
import { dropScratch } from "./scratch-database.ts";
import { tryAgain } from "./try-again.ts";

/**
 * Ends the database of a verified archive, and the scratch database that it was verified in. The file is looked
 * at once more before: without it nothing is dropped.
 */
export async function dropArchived(deps: Deps, hold: JobHold): Promise<void> {
  const { archives, leases } = deps.store.read;
  const archive = await archives.find(hold.job.entityId);
  const lease = archive === undefined ? undefined : await leases.find(archive.leaseId);
  if (archive === undefined || lease === undefined || archive.droppedAt !== null) return finish(deps, hold);
  try {
    await dropScratch(deps, lease, archive, hold.signal);
    // One that was restored or ended meanwhile is ended by its lease.
    const isIts = archive.state === "verified" && lease.state === "archived";
    if (isIts) await dropSource(deps, hold, lease, archive);
    await recordDropped(deps, hold, lease, archive, isIts);
  } catch (error) {
    const what = `A database at ${archive.connectorId} is archived and cannot be ended yet`;
    await tryAgain(deps, hold.job, what, error);
  }
}

async function dropSource(
  deps: Deps,
  { signal }: JobHold,
  lease: LeaseRow,
  archive: ArchiveRow,
): Promise<void> {
  const { bytes, sha256 } = archive;
  if (bytes === null || sha256 === null) throw new Error("a verified archive knows its file");
  await verifyFile(archiveMedium(deps, archive, signal).get(), { bytes, sha256 });
  await revokeAtProvider(deps, signal, lease);
}

async function recordDropped(
  deps: Deps,
  { job }: JobHold,
  lease: LeaseRow,
  archive: ArchiveRow,
  isDropped: boolean,
): Promise<void> {
  const { connectorId, buildId } = lease;
  const droppedAt = deps.now();
  await deps.change(byJob(job), [buildId], async (tx) => {
    if (!(await tx.jobs.finish(job.id, job.fence, "done", undefined, droppedAt))) return;
    const dropped = isDropped ? { droppedAt } : {};
    await tx.archives.update(archive.id, ["verified", "restored", "removed"], {
      scratchHandle: null,
      ...dropped,
    });
    if (!isDropped) return;
    // It holds nothing any more that an org key would be needed for.
    await tx.leases.update(lease.id, ["archived"], { orgKeyVersion: null, lastError: null });
    const details = { connector: connectorId, lease: lease.id, archive: archive.id, resource: lease.handle };
    tx.audit("database.dropped", buildId, details);
    if (job.state !== "needs_hands") return;
    const message = `The archived database at ${connectorId} has been ended: nothing is to be done any more.`;
    tx.notice(handsNotice(job, "job.resolved", message));
  });
}

async function finish({ store, now }: Deps, { job }: JobHold): Promise<void> {
  await store.write([job.entityId], (tables) =>
    tables.jobs.finish(job.id, job.fence, "done", undefined, now()),
  );
}
