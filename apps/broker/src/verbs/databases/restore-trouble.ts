import { ProviderError } from "@keyloan/contract";
import { StoreError } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { backoffMs, isBusyForNow } from "../../jobs/backoff.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { describeError } from "../../observe/logger.ts";
import { endLeases } from "../leases/end-leases.ts";
import { toDatabaseError } from "./database-errors.ts";
import type { Restoring } from "./restore-database.ts";
import { tellFailure } from "./tell-failure.ts";
import type { WorkWatch } from "./watch-work.ts";

const runsMax = 5;
const firstWaitMs = 5_000;
const waitMsMax = 600_000;
const stoppedWaitMs = 5_000;

/** Decides what becomes of a run that did not end well: tried again, or the new database ends and the archive stays. */
export async function recordRestoreTrouble(
  deps: Deps,
  { job }: JobHold,
  { lease, archived }: Restoring,
  watch: WorkWatch,
  error: unknown,
): Promise<void> {
  if (error instanceof StoreError) throw error;
  const { store, now } = deps;
  if (watch.wasStopped()) {
    const runAfter = now() + stoppedWaitMs;
    await store.write([lease.id], (tables) => tables.jobs.postpone(job.id, job.fence, runAfter, "stopped"));
    return;
  }
  const lastError = toDatabaseError(error, lease.connectorId);
  if (lastError.code === "internal") {
    deps.logger.error({ leaseId: lease.id, ...describeError(error) }, "restoring broke");
  }
  const isBusy = isBusyForNow(deps, job, lastError);
  const waitMs = backoffMs(deps.randomBytes, job.attempts, firstWaitMs, waitMsMax);
  const retryAfterMs = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  const runAfter = now() + Math.max(waitMs, retryAfterMs);
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    if (isBusy || (lastError.retryable && job.attempts < runsMax)) {
      const giveBack = isBusy ? tx.jobs.postpone : tx.jobs.retry;
      if (await giveBack(job.id, job.fence, runAfter, lastError.code))
        await tx.leases.update(lease.id, ["planned"], { lastError });
      return;
    }
    if (!(await tx.jobs.finish(job.id, job.fence, "failed", lastError.code, now()))) return;
    // Its archive stays as it is, for the next try.
    await tx.leases.update(archived.id, ["archived"], { lastError });
    tellFailure(tx, job, lease, lastError);
    await endLeases(deps, tx, [lease]);
  });
}
