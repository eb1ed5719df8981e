import { BrokerError, ProviderError } from "@keyloan/contract";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { backoffMs } from "../../jobs/backoff.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { auditRow } from "../audit.ts";
import { toStoredError } from "./issue-lease.ts";
import { revokeAtProvider } from "./revoke-at-provider.ts";

const firstRunWaitMs = 5_000;
const runWaitMsMax = 3_600_000;

/** Ends a lease at its provider and records it. A failure is tried again, ever more seldom, and never dropped. */
export async function releaseLease(deps: Deps, hold: JobHold): Promise<void> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  if (lease === undefined || lease.state !== "releasing") {
    await deps.store.write((tables) => tables.jobs.finish(hold.job.id, hold.job.fence, "done"));
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
  const { id, fence } = hold.job;
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  try {
    if (lease !== undefined) await revokeAtProvider(deps, hold.signal, lease);
    await deps.store.write((tables) => tables.jobs.finish(id, fence, "done"));
  } catch (error) {
    if (!(error instanceof ProviderError) && !(error instanceof BrokerError)) throw error;
    const runAfter = deps.now() + releaseWaitMs(deps, hold);
    await deps.store.write((tables) => tables.jobs.retry(id, fence, runAfter, error.code));
  }
}

function releaseWaitMs(deps: Deps, hold: JobHold): number {
  return backoffMs(deps.randomBytes, hold.job.attempts, firstRunWaitMs, runWaitMsMax);
}

async function recordReleased(deps: Deps, hold: JobHold, lease: LeaseRow): Promise<void> {
  const actor = { kind: "job", jobId: hold.job.id } as const;
  await deps.store.write(async (tables) => {
    if (!(await tables.jobs.finish(hold.job.id, hold.job.fence, "done"))) return;
    await tables.leases.update(lease.id, ["releasing"], { state: "released", lastError: null });
    const details = { connector: lease.connectorId, resource: lease.handle };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "lease.released", entity: lease.buildId, details }),
    ]);
    const leases = await tables.leases.listByBuild(lease.buildId);
    if (leases.some(({ state }) => state !== "released")) return;
    if (await tables.builds.moveState(lease.buildId, ["closing"], "closed", { closedAt: deps.now() })) {
      await tables.auditEvents.insertAll([
        auditRow(deps, { actor, action: "build.closed", entity: lease.buildId, details: {} }),
      ]);
    }
  });
}

async function recordFailure(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  error: ProviderError | BrokerError,
): Promise<void> {
  const lastError =
    error instanceof ProviderError
      ? toStoredError(error)
      : {
          provider: lease.connectorId,
          code: error.code,
          message: error.message,
          remedy:
            error.remedy ?? `Put a key for ${lease.connectorId}; the broker then ends the lease by itself.`,
          retryable: true,
        };
  await deps.store.write(async (tables) => {
    if (
      !(await tables.jobs.retry(
        hold.job.id,
        hold.job.fence,
        deps.now() + releaseWaitMs(deps, hold),
        lastError.code,
      ))
    )
      return;
    await tables.leases.update(lease.id, ["releasing"], { lastError });
    const actor = { kind: "job", jobId: hold.job.id } as const;
    const details = { connector: lease.connectorId, ...lastError };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "lease.release_failed", entity: lease.buildId, details }),
    ]);
  });
}
