import { verifyFile } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { done, type Outcome } from "../../queue/outcome.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";
import { archiveMedium } from "./archive-medium.ts";
import { untilItEnds } from "./database-job.ts";
import { dropScratch } from "./scratch-database.ts";

/**
 * Ends the database of a verified archive, and the scratch database that it was verified in. The file is looked
 * at once more before: without it nothing is dropped.
 */
export const dropArchivedJob = defineJob({
  run: dropArchived,
  deadlineSeconds: 900,
  ...untilItEnds("is archived and cannot be ended yet"),
  resolved: ({ connectorId }) =>
    `The archived database at ${connectorId} has been ended: you do not need to do anything any more.`,
});

async function dropArchived(deps: Deps, hold: JobHold): Promise<Outcome> {
  const { archives, leases } = deps.store.read;
  const archive = await archives.find(hold.job.entityId);
  const lease = archive === undefined ? undefined : await leases.find(archive.leaseId);
  if (archive === undefined || lease === undefined || archive.droppedAt !== null) return done();
  await dropScratch(deps, lease, archive, hold.signal);
  // One that was restored or ended meanwhile is ended by its lease.
  const isIts = archive.state === "verified" && lease.state === "archived";
  if (isIts) await dropSource(deps, hold, lease, archive);
  return done((tx) => recordDropped(deps, tx, lease, archive, isIts));
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
  tx: Unit,
  lease: LeaseRow,
  archive: ArchiveRow,
  isDropped: boolean,
): Promise<void> {
  const dropped = isDropped ? { droppedAt: deps.now() } : {};
  const from = ["verified", "restored", "removed"] as const;
  await tx.archives.update(archive.id, from, { scratchHandle: null, ...dropped });
  if (!isDropped) return;
  // It holds nothing any more that an org key would be needed for.
  await tx.leases.update(lease.id, ["archived"], { orgKeyVersion: null, lastError: null });
  const { id, connectorId, buildId, handle } = lease;
  const details = { connector: connectorId, lease: id, archive: archive.id, resource: handle };
  tx.audit("database.dropped", buildId, details);
}
