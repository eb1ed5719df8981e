import { BrokerError } from "@keyloan/contract";
import type { ClaimedJob, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { toFailure } from "../../queue/failure.ts";
import { done, type Failure, failed, type Outcome, type RequiredAction } from "../../queue/outcome.ts";
import { withJob } from "../../queue/require-action.ts";
import { releaseSteps } from "./action-steps.ts";
import { markReleased } from "./mark-released.ts";
import { revokeAtProvider } from "./revoke-at-provider.ts";

/**
 * About an hour of a failure that passes by itself, half a minute of another, until a person is asked. It is never
 * dropped.
 */
const policy = {
  retry: { firstSeconds: 10, mostSeconds: 3_600, runs: 10, refusedRuns: 3 },
  giveUp: { ask: whatToDo, keepsTrying: true },
  whileDegraded: true,
  resolved: ({ connectorId }: ClaimedJob) =>
    `A build's resource at ${connectorId} has been ended: you do not need to do anything any more.`,
} as const;

/** Ends a lease at its provider and records it. */
export const releaseJob = defineJob({ ...policy, run: releaseLease });

/**
 * Revokes once more what a released lease might still have made or written: a create call that the provider
 * finished late, after its caller had given up, or a credential that lived on until its expiry.
 */
export const releaseAgainJob = defineJob({ ...policy, run: releaseAgain });

async function releaseLease(deps: Deps, hold: JobHold): Promise<Outcome> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  if (lease === undefined || (lease.state !== "releasing" && lease.state !== "requires_action"))
    return done();
  try {
    await revokeAtProvider(deps, hold.signal, lease);
    return done((tx) => markReleased(deps, tx, lease));
  } catch (error) {
    return failed(failureOf(lease, error), async (tx, stored, verdict) => {
      const isGivenUp = verdict === "gave_up";
      const lastError = isGivenUp ? withJob(stored, hold.job.id) : stored;
      const state = isGivenUp ? "requires_action" : lease.state;
      await tx.leases.update(lease.id, [lease.state], { state, lastError });
      tx.audit("lease.release_failed", lease.buildId, { connector: lease.connectorId, ...stored });
    });
  }
}

async function releaseAgain(deps: Deps, hold: JobHold): Promise<Outcome> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  if (lease === undefined) return done();
  try {
    await revokeAtProvider(deps, hold.signal, lease);
    return done();
  } catch (error) {
    return failed(failureOf(lease, error));
  }
}

async function whatToDo(deps: Deps, job: ClaimedJob, error: Failure): Promise<RequiredAction> {
  const lease = await deps.store.read.leases.find(job.entityId);
  return {
    message: `A build's resource at ${job.connectorId} cannot be ended: ${error.message}.`,
    steps:
      lease === undefined
        ? []
        : releaseSteps(deps.connectors.get(lease.connectorId)?.spec, lease, error, job.id),
  };
}

/** @throws what is neither a provider's failure nor ours */
function failureOf({ connectorId }: LeaseRow, error: unknown): Failure {
  const failure = toFailure(error, connectorId);
  if (failure === undefined) throw error;
  const isSaid = !(error instanceof BrokerError) || error.remedy !== undefined;
  const remedy = `Set a key for ${connectorId}; the broker then ends the lease automatically.`;
  return isSaid ? failure : { ...failure, remedy };
}
