import { BrokerError, ProviderError } from "@keyloan/contract";
import { type LeaseRow, StoreError } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { backoffMs } from "../../jobs/backoff.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { describeError } from "../../observe/logger.ts";
import { toDatabaseError } from "./database-errors.ts";
import { MovedOn } from "./moved-on.ts";
import { tellFailure } from "./tell-failure.ts";
import { tryAgain } from "./try-again.ts";
import type { WorkWatch } from "./watch-work.ts";

const runsMax = 5;
/** Runs until a person is told that what an attempt left cannot be cleared away. */
const leftRunsMax = 10;
const firstWaitMs = 30_000;
const waitMsMax = 1_800_000;
const stoppedWaitMs = 5_000;

/** Decides what becomes of a run that did not end well; what it had made is cleared, or known to be left. */
export async function recordArchiveTrouble(
  deps: Deps,
  { job }: JobHold,
  lease: LeaseRow,
  watch: WorkWatch,
  error: unknown,
): Promise<void> {
  if (error instanceof StoreError) throw error;
  const { store, now } = deps;
  if (watch.wasStopped() || error instanceof MovedOn) {
    const runAfter = now() + stoppedWaitMs;
    await store.write([lease.id], (tables) => tables.jobs.postpone(job.id, job.fence, runAfter, "stopped"));
    return;
  }
  const lastError = toDatabaseError(error, lease.connectorId);
  if (lastError.code === "internal") {
    deps.logger.error({ leaseId: lease.id, ...describeError(error) }, "archiving broke");
  }
  const isLeft = (await store.read.archives.listByLease(lease.id)).some(({ state }) => state === "writing");
  if (isLeft && job.attempts >= leftRunsMax) {
    const what = `A database of ${lease.connectorId} could not be archived and cannot be written to yet`;
    const failure =
      error instanceof ProviderError ? error : new BrokerError("unavailable", lastError.message);
    return tryAgain(deps, job, what, failure);
  }
  const again = isLeft || (lastError.retryable && job.attempts < runsMax);
  const waitMs = backoffMs(deps.randomBytes, job.attempts, firstWaitMs, waitMsMax);
  const retryAfterMs = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    const kept = again
      ? await tx.jobs.retry(job.id, job.fence, now() + Math.max(waitMs, retryAfterMs), lastError.code)
      : await tx.jobs.finish(job.id, job.fence, "failed", lastError.code, now());
    if (!kept) return;
    await tx.leases.update(lease.id, ["active"], { lastError });
    if (!again) tellFailure(tx, job, lease, lastError);
  });
}
