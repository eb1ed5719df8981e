import { ProviderError, type SecretValues } from "@keyloan/contract";
import type { ClaimedJob, LeaseRow, StoredLeaseError } from "@keyloan/store";
import type { Details } from "../../audit-row.ts";
import { byJob, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { backoffMs, isBusyForNow, withRetry } from "../../jobs/backoff.ts";
import { issueSteps, suppliable } from "../../jobs/hand-steps.ts";
import { needHands } from "../../jobs/hands.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { sealLease } from "../../sealing/lease-values.ts";
import { markReadyWhenComplete } from "./mark-ready.ts";
import { withKeyToIssue } from "./org-credential.ts";
import { planned } from "./planned-lease.ts";
import { recordFingerprints } from "./record-fingerprints.ts";
import { revokeAtProvider } from "./revoke-at-provider.ts";

const runsMax = 8;
const firstRunWaitMs = 5_000;
const runWaitMsMax = 600_000;

/** Issues a planned lease and records it. What is refused, or has failed too often, is given to a person. */
export async function issueLease(deps: Deps, hold: JobHold): Promise<void> {
  const lease = await deps.store.read.leases.find(hold.job.entityId);
  const connector = lease === undefined ? undefined : deps.connectors.get(lease.connectorId);
  if (lease === undefined || lease.state !== "planned") {
    const { id, fence } = hold.job;
    await deps.store.write([id], (tables) => tables.jobs.finish(id, fence, "done", undefined, deps.now()));
    return;
  }
  const started = performance.now();
  const measure = (outcome: string) =>
    deps.metrics.providerCalls.observe(
      { connector: lease.connectorId, operation: "issue", outcome },
      (performance.now() - started) / 1000,
    );
  let attempts = lease.attempts;
  try {
    const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
    const issued = await withRetry(deps, { untilMs, signal: hold.cancelled }, async () => {
      attempts += 1;
      if (connector === undefined) throw notInstalled(lease.connectorId);
      const context = deps.contextFor(connector, hold.signal);
      const { issue } = issuerOf(deps, connector);
      const { made, version } = await withKeyToIssue(deps, connector, (org) =>
        issue(context, org, planned(lease)),
      );
      return { version, values: made };
    });
    measure("ok");
    await recordIssued(deps, hold, lease, { ...issued, attempts });
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    measure(error.code);
    await recordFailure(deps, hold, lease, error, attempts);
  }
}

function notInstalled(connectorId: string): ProviderError {
  return new ProviderError(connectorId, "rejected", "is not installed in this broker any more", {
    remedy: "Run a version of the broker that has this connector.",
  });
}

async function recordIssued(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  issued: { readonly version: number; readonly values: SecretValues; readonly attempts: number },
): Promise<void> {
  const recorded = await deps.change(byJob(hold.job), [lease.buildId], async (tx) => {
    const dataKey = await tx.dataKeys.findByOwner(lease.buildId);
    const { id, fence } = hold.job;
    if (dataKey === undefined || !(await tx.jobs.finish(id, fence, "done", undefined, deps.now())))
      return false;
    const active = await tx.leases.markIssued(lease.id, {
      env: sealLease(deps, dataKey, lease.id, issued.values),
      orgKeyVersion: issued.version,
      issuedAt: deps.now(),
      attempts: issued.attempts,
    });
    if (!active) return false;
    const specs = deps.connectors.get(lease.connectorId)?.spec.env ?? [];
    await recordFingerprints(deps, tx, lease.id, specs, issued.values);
    const details = {
      connector: lease.connectorId,
      names: Object.keys(issued.values),
      resource: lease.handle,
    };
    tx.audit("lease.issued", lease.buildId, details);
    await markReadyWhenComplete(tx, lease.buildId);
    return true;
  });
  if (!recorded) await takeBackIfEnded(deps, hold, lease, issued.version);
}

/** The build was closed while its lease was being issued: what was made is taken back at once. */
async function takeBackIfEnded(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  orgKeyVersion: number,
): Promise<void> {
  const now = await deps.store.read.leases.find(lease.id);
  // Still planned or active: another worker took the job over and owns the resource now.
  if (now?.state !== "releasing" && now?.state !== "released") return;
  await revokeAtProvider(deps, hold.signal, { ...lease, orgKeyVersion });
}

async function recordFailure(
  deps: Deps,
  hold: JobHold,
  lease: LeaseRow,
  error: ProviderError,
  attempts: number,
): Promise<void> {
  const { job } = hold;
  const lastError = toStoredError(error);
  const runAfter = deps.now() + runWaitMs(deps, hold, error);
  const isBusy = isBusyForNow(deps, job, error);
  const again = isBusy || (error.retryable && job.attempts < runsMax);
  await deps.change(byJob(job), [lease.buildId], async (tx) => {
    if (!again) return giveToHands(deps, tx, job, { ...lease, attempts }, lastError);
    const giveBack = isBusy ? tx.jobs.postpone : tx.jobs.retry;
    const isKept =
      (await giveBack(job.id, job.fence, runAfter, error.code)) &&
      (await tx.leases.update(lease.id, ["planned"], { attempts, lastError }));
    return isKept ? auditFailure(tx, lease, { state: "planned", ...lastError }) : undefined;
  });
}

/** Whatever the cause, a person can mend it or do it: nothing is left to be tried. */
async function giveToHands(
  deps: Deps,
  tx: Unit,
  job: ClaimedJob,
  lease: LeaseRow,
  error: StoredLeaseError,
): Promise<void> {
  const spec = deps.connectors.get(lease.connectorId)?.spec;
  const needed = await needHands(deps, tx, job, lease, {
    message: `A build waits for ${lease.connectorId}: ${error.message}.`,
    steps: issueSteps(spec, lease, error, job.id),
    ...(spec === undefined ? {} : { variables: suppliable(spec) }),
    errorCode: error.code,
    leaseError: error,
  });
  if (!needed) return;
  await tx.leases.update(lease.id, ["needs_hands"], { attempts: lease.attempts });
  auditFailure(tx, lease, { state: "needs_hands", ...error });
}

function auditFailure(tx: Unit, lease: LeaseRow, failure: Details): void {
  tx.audit("lease.issue_failed", lease.buildId, { connector: lease.connectorId, ...failure });
}

function runWaitMs(deps: Deps, hold: JobHold, error: ProviderError): number {
  const backoff = backoffMs(deps.randomBytes, hold.job.attempts, firstRunWaitMs, runWaitMsMax);
  return Math.max(backoff, (error.retryAfterSeconds ?? 0) * 1000);
}

/** What is kept and shown of a provider's failure. */
export function toStoredError(error: ProviderError): StoredLeaseError {
  return {
    provider: error.provider,
    code: error.code,
    message: `${error.provider} ${error.message}`,
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    remedy: error.remedy,
    retryable: error.retryable,
  };
}
