import { BrokerError, ProviderError } from "@keyloan/contract";
import { verifyFile } from "@keyloan/database-provisioner";
import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import { backoffMs, isBusyForNow } from "../../jobs/backoff.ts";
import { handsNotice, needHands } from "../../jobs/hands.ts";
import type { JobHold } from "../../jobs/runner.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";
import { archiveMedium } from "./archive-medium.ts";
import { toDatabaseError } from "./database-errors.ts";
import { dropScratch } from "./scratch-database.ts";

const firstWaitMs = 5_000;
const waitMsMax = 3_600_000;
const runsMax = 10;

/**
 * Ends the database of a verified archive, and the scratch database that it was verified in. The file is looked
 * at once more before: without it nothing is dropped.
 */
export async function dropArchived(services: Services, hold: JobHold): Promise<void> {
  const { archives, leases } = services.store.read;
  const archive = await archives.find(hold.job.entityId);
  const lease = archive === undefined ? undefined : await leases.find(archive.leaseId);
  if (archive === undefined || lease === undefined || archive.droppedAt !== null)
    return finish(services, hold);
  try {
    await dropScratch(services, lease, archive, hold.signal);
    // One that was restored or ended meanwhile is ended by its lease.
    const isIts = archive.state === "verified" && lease.state === "archived";
    if (isIts) await dropSource(services, hold, lease, archive);
    await recordDropped(services, hold, lease, archive, isIts);
  } catch (error) {
    if (!(error instanceof ProviderError) && !(error instanceof BrokerError)) throw error;
    await recordFailure(services, hold, archive, error);
  }
}

async function dropSource(
  services: Services,
  { signal }: JobHold,
  lease: LeaseRow,
  archive: ArchiveRow,
): Promise<void> {
  const { bytes, sha256 } = archive;
  if (bytes === null || sha256 === null) throw new Error("a verified archive knows its file");
  await verifyFile(archiveMedium(services, archive, signal).get(), { bytes, sha256 });
  await revokeAtProvider(services, signal, lease);
}

async function recordDropped(
  services: Services,
  { job }: JobHold,
  lease: LeaseRow,
  archive: ArchiveRow,
  isDropped: boolean,
): Promise<void> {
  const { connectorId, buildId } = lease;
  const droppedAt = services.now();
  await services.store.write(async (tables) => {
    if (!(await tables.jobs.finish(job.id, job.fence, "done", undefined, droppedAt))) return;
    const dropped = isDropped ? { droppedAt } : {};
    await tables.archives.update(archive.id, ["verified", "restored", "removed"], {
      scratchHandle: null,
      ...dropped,
    });
    if (!isDropped) return;
    // It holds nothing any more that an org key would be needed for.
    await tables.leases.update(lease.id, ["archived"], { orgKeyVersion: null, lastError: null });
    const details = { connector: connectorId, lease: lease.id, archive: archive.id, resource: lease.handle };
    const actor = { kind: "job", jobId: job.id } as const;
    await tables.auditEvents.insertAll([
      auditRow(services, { actor, action: "database.dropped", entity: buildId, details }),
    ]);
    if (job.state !== "needs_hands") return;
    const message = `The archived database at ${connectorId} has been ended: nothing is to be done any more.`;
    await tables.jobs.insertAll([handsNotice(services, job, "job.resolved", message)]);
  });
}

async function recordFailure(
  services: Services,
  { job }: JobHold,
  { connectorId, leaseId }: ArchiveRow,
  error: ProviderError | BrokerError,
): Promise<void> {
  const { code, message, remedy } = toDatabaseError(error, connectorId);
  const waitMs = backoffMs(services.randomBytes, job.attempts, firstWaitMs, waitMsMax);
  const runAfter = services.now() + Math.max(waitMs, (error.retryAfterSeconds ?? 0) * 1000);
  await services.store.write(async (tables) => {
    if (isBusyForNow(services, job, error)) {
      await tables.jobs.postpone(job.id, job.fence, runAfter, code);
    } else if (job.attempts < runsMax) {
      await tables.jobs.retry(job.id, job.fence, runAfter, code);
    } else {
      await needHands(services, tables, job, undefined, {
        message: `A database at ${connectorId} is archived and cannot be ended: ${message}.`,
        steps: [
          { text: `What happened: ${message}. ${remedy}` },
          { text: `The database of the lease ${leaseId} is still there, and so is its archive.` },
          { text: "When that is mended nothing is to be done: it is tried again by itself, every hour." },
        ],
        errorCode: code,
        runAgainAt: runAfter,
      });
    }
  });
}

async function finish({ store, now }: Services, { job }: JobHold): Promise<void> {
  await store.write((tables) => tables.jobs.finish(job.id, job.fence, "done", undefined, now()));
}
