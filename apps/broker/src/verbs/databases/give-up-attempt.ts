import type { ArchiveRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { step } from "../../queue/step.ts";
import { type Archivable, archivableOf } from "./archivable.ts";
import type { Subject } from "./archive-database.ts";
import { toDatabaseError } from "./database-errors.ts";
import { clearAttempt, recordCleared } from "./end-attempt.ts";
import { movedOn } from "./moved-on.ts";
import { setWritable } from "./scratch-database.ts";

const clearDeadlineMs = 120_000;
/** A build that is closing waits for it, and ends everything anyway. */
const stoppedDeadlineMs = 10_000;

/** Lets the database be written to again and clears the attempt away; what fails of it is done by the next run. */
export async function giveUpAttempt(
  deps: Deps,
  hold: JobHold,
  { lease, archivable }: Subject,
  archive: ArchiveRow,
  why: unknown,
): Promise<void> {
  const signal = AbortSignal.timeout(hold.cancelled.aborted ? stoppedDeadlineMs : clearDeadlineMs);
  const isOurs = (await step(deps, hold, async () => true)) === true;
  const [freed, cleared] = await Promise.allSettled([
    // Another worker that has the job by now stops the writes for itself.
    isOurs ? thaw(deps, archivable, lease, signal) : undefined,
    clearAttempt(deps, lease, archive, signal),
  ]);
  const failed = [freed, cleared].find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) {
    const line = { archiveId: archive.id, ...describeError(failed.reason) };
    deps.logger.warn(line, "an archive has not been removed yet; the broker tries again");
    return;
  }
  const error = toDatabaseError(why, lease.connectorId);
  await step(deps, hold, (tx) => recordCleared(deps, tx, archive, error));
}

/** Lets the database be written to again, unless it ended or somebody else stops its writes now. */
async function thaw(deps: Deps, archivable: Archivable, lease: LeaseRow, signal: AbortSignal) {
  const { leases, transfers } = deps.store.read;
  if ((await leases.find(lease.id))?.state !== "active") return;
  const rows = await transfers.listByBuild(lease.buildId);
  if (rows.some(({ leaseId, frozenAt }) => leaseId === lease.id && frozenAt !== null)) return;
  await setWritable(deps, archivable, lease, true, signal);
}

/** What a run before this one left, because its process died or could not clear it. */
export async function clearOlderAttempts(deps: Deps, hold: JobHold, lease: LeaseRow): Promise<void> {
  const archives = await deps.store.read.archives.listByLease(lease.id);
  const archivable = archivableOf(deps.connectors.get(lease.connectorId));
  const signal = AbortSignal.any([hold.signal, AbortSignal.timeout(clearDeadlineMs)]);
  for (const archive of archives.filter(({ state }) => state === "writing")) {
    if (archivable !== undefined) await thaw(deps, archivable, lease, signal);
    await clearAttempt(deps, lease, archive, signal);
    const message = "the attempt was cancelled";
    const cleared = await step(deps, hold, async (tx) => {
      await recordCleared(deps, tx, archive, { message });
      return true;
    });
    if (cleared === undefined) throw movedOn();
  }
}
