import { ProviderError, type SecretValues } from "@keyloan/contract";
import type { ClaimedJob, LeaseRow, StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import {
  done,
  type Failure,
  failed,
  type Outcome,
  type RequiredAction,
  type Verdict,
} from "../../queue/outcome.ts";
import { withJob } from "../../queue/require-action.ts";
import { sealLease } from "../../sealing/lease-values.ts";
import { issueSteps, suppliable } from "./action-steps.ts";
import { markReadyWhenComplete } from "./mark-ready.ts";
import { withKeyToIssue } from "./org-credential.ts";
import { planned } from "./planned-lease.ts";
import { recordFingerprints } from "./record-fingerprints.ts";
import { takeBack } from "./take-back.ts";

/** Issues a planned lease. What is refused, or has failed too often, requires a person: they can fix it or do it. */
export const issueJob = defineJob({
  run: issueLease,
  retry: { firstSeconds: 10, mostSeconds: 600, runs: 8 },
  giveUp: { ask: whatToDo, keepsTrying: false },
  whileDegraded: true,
});

async function issueLease(deps: Deps, hold: JobHold): Promise<Outcome> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  if (lease === undefined || lease.state !== "planned") return done();
  const connector = deps.connectors.get(lease.connectorId);
  const started = performance.now();
  const measure = (outcome: string) =>
    deps.metrics.providerCalls.observe(
      { connector: lease.connectorId, operation: "issue", outcome },
      (performance.now() - started) / 1000,
    );
  let attempts = lease.attempts;
  try {
    const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
    const { made, version } = await withRetry(deps, { untilMs, signal: hold.cancelled }, () => {
      attempts += 1;
      if (connector === undefined) throw notInstalled(lease.connectorId);
      const context = deps.contextFor(connector, hold.signal);
      const { issue } = issuerOf(deps, connector);
      return withKeyToIssue(deps, connector, (org) => issue(context, org, planned(lease)));
    });
    measure("ok");
    return done(
      (tx) => recordIssued(deps, tx, lease, { version, values: made, attempts }),
      () => takeBack(deps, hold, lease, version),
    );
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    measure(error.code);
    return failed(error, (tx, kept, verdict) =>
      recordFailure(tx, hold.job, { ...lease, attempts }, kept, verdict),
    );
  }
}

function notInstalled(connectorId: string): ProviderError {
  return new ProviderError(connectorId, "rejected", "is no longer installed in this broker", {
    remedy: "Run a version of the broker that has this connector.",
  });
}

type Issued = { readonly version: number; readonly values: SecretValues; readonly attempts: number };

/** @returns false when the build was closed meanwhile */
async function recordIssued(deps: Deps, tx: Unit, lease: LeaseRow, issued: Issued): Promise<boolean> {
  const dataKey = await tx.dataKeys.findByOwner(lease.buildId);
  if (dataKey === undefined) return false;
  const isActive = await tx.leases.markIssued(lease.id, {
    env: sealLease(deps, dataKey, lease.id, issued.values),
    orgKeyVersion: issued.version,
    issuedAt: deps.now(),
    attempts: issued.attempts,
  });
  if (!isActive) return false;
  const specs = deps.connectors.get(lease.connectorId)?.spec.env ?? [];
  await recordFingerprints(deps, tx, lease.id, specs, issued.values);
  tx.audit("lease.issued", lease.buildId, {
    connector: lease.connectorId,
    names: Object.keys(issued.values),
    resource: lease.handle,
  });
  await markReadyWhenComplete(tx, lease.buildId);
  return true;
}

async function recordFailure(
  tx: Unit,
  job: ClaimedJob,
  { id, buildId, connectorId, attempts }: LeaseRow,
  error: StoredLeaseError,
  verdict: Verdict,
): Promise<void> {
  const state = verdict === "gave_up" ? "requires_action" : "planned";
  const lastError = verdict === "gave_up" ? withJob(error, job.id) : error;
  if (!(await tx.leases.update(id, ["planned"], { state, attempts, lastError }))) return;
  tx.audit("lease.issue_failed", buildId, { connector: connectorId, state, ...error });
}

async function whatToDo(deps: Deps, job: ClaimedJob, error: Failure): Promise<RequiredAction> {
  const lease = await deps.store.read.leases.find(job.entityId);
  const spec = deps.connectors.get(job.connectorId ?? "")?.spec;
  return {
    message: `A build is waiting for ${job.connectorId}: ${error.message}.`,
    steps: lease === undefined ? [] : issueSteps(spec, lease, error, job.id),
    ...(spec === undefined ? {} : { variables: suppliable(spec) }),
  };
}
