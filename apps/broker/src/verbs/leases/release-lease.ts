import { BrokerError, ProviderError } from "@keyloan/contract";
import type { LeaseRow, StoredLeaseError } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { backoffMs, isBusyForNow } from "../../jobs/backoff.ts";
import { releaseSteps } from "../../jobs/hand-steps.ts";
import { handsNotice, needHands } from "../../jobs/hands.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { toStoredError } from "./issue-lease.ts";
import { markReleased } from "./mark-released.ts";
import { revokeAtProvider } from "./revoke-at-provider.ts";

const firstRunWaitMs = 5_000;
const runWaitMsMax = 3_600_000;
/** Runs until a person is asked: about an hour of a failure that passes by itself, half a minute of another. */
const runsMax = 10;
const refusedRunsMax = 3;

/**
 * Ends a lease at its provider and records it. A failure is tried again, ever more seldom; when it lasts a
 * person is asked, and it is still tried every hour, and never dropped.
 */
export async function releaseLease(deps: Deps, hold: JobHold): Promise<void> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  if (lease === undefined || (lease.state !== "releasing" && lease.state !== "needs_hands")) {
    await finish(deps, hold);
    return;
  }
  try {
    await revokeAtProvider(deps, hold.signal, lease);
    await recordReleased(deps, hold, lease);
  } catch (error) {
    if (!(error instanceof ProviderError) && !(error instanceof BrokerError)) throw error;
    await recordFailure(deps, hold, lease, error);
  }
}

/**
 * Revokes once more what a released lease might still have made or written: a create call that the provider
 * finished late, after its caller had given up, or a credential that lived on until its expiry.
 */
export async function releaseAgain(deps: Deps, hold: JobHold): Promise<void> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  try {
    if (lease !== undefined) await revokeAtProvider(deps, hold.signal, lease);
    await finish(deps, hold);
  } catch (error) {
    if (!(error instanceof ProviderError) && !(error instanceof BrokerError)) throw error;
    if (lease !== undefined) await recordFailure(deps, hold, lease, error);
  }
}

async function finish(deps: Deps, { job }: JobHold): Promise<void> {
  await deps.store.write([job.entityId], (tables) =>
    tables.jobs.finish(job.id, job.fence, "done", undefined, deps.now()),
  );
}

async function recordReleased(deps: Deps, { job }: JobHold, lease: LeaseRow): Promise<void> {
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    if (!(await tx.jobs.finish(job.id, job.fence, "done", undefined, deps.now()))) return;
    await markReleased(deps, tx, lease);
    if (job.state !== "needs_hands") return;
    const message = `What a build had at ${lease.connectorId} has been ended: nothing is to be done any more.`;
    tx.notice(handsNotice(job, "job.resolved", message));
  });
}

async function recordFailure(
  deps: Deps,
  { job }: JobHold,
  lease: LeaseRow,
  error: ProviderError | BrokerError,
): Promise<void> {
  const lastError = storedErrorOf(lease, error);
  const isBusy = isBusyForNow(deps, job, error);
  const isPassing = error instanceof ProviderError && error.retryable;
  const again = isBusy || job.attempts < (isPassing ? runsMax : refusedRunsMax);
  const retryAfterMs = (error.retryAfterSeconds ?? 0) * 1000;
  const waitMs = backoffMs(deps.randomBytes, job.attempts, firstRunWaitMs, runWaitMsMax);
  const runAfter = deps.now() + Math.max(waitMs, retryAfterMs);
  // What is revoked once more has been released already.
  const isOwn = job.kind === "release";
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    const giveBack = isBusy ? tx.jobs.postpone : tx.jobs.retry;
    const kept = again
      ? await giveBack(job.id, job.fence, runAfter, lastError.code)
      : await needHands(deps, tx, job, isOwn ? lease : undefined, {
          message: `What a build had at ${lease.connectorId} cannot be ended: ${lastError.message}.`,
          steps: releaseSteps(deps.connectors.get(lease.connectorId)?.spec, lease, lastError, job.id),
          errorCode: lastError.code,
          runAgainAt: runAfter,
          leaseError: lastError,
        });
    if (!kept || !isOwn) return;
    if (again) await tx.leases.update(lease.id, [lease.state], { lastError });
    tx.audit("lease.release_failed", lease.buildId, { connector: lease.connectorId, ...lastError });
  });
}

function storedErrorOf(lease: LeaseRow, error: ProviderError | BrokerError): StoredLeaseError {
  if (error instanceof ProviderError) return toStoredError(error);
  return {
    provider: lease.connectorId,
    code: error.code,
    message: error.message,
    remedy: error.remedy ?? `Put a key for ${lease.connectorId}; the broker then ends the lease by itself.`,
    retryable: true,
  };
}
