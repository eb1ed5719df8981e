import type { JobState, JobView } from "@keyloan/contract";
import type { JobRow, LeaseRow, Tables } from "@keyloan/store";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { findJob, jobConflict, showJob } from "./list-jobs.ts";

const retryable: readonly JobState[] = ["failed", "requires_action", "cancelled"];

/**
 * Starts a job anew, as if it had never been run: what was lacking is there now.
 * @throws BrokerError `not_found`, or `conflict` when it waits by itself, is done, or has nothing left to work on
 */
export async function retryJob(deps: Deps, by: By, jobId: string): Promise<JobView> {
  const { job, lease } = await findJob(deps, jobId);
  if (!retryable.includes(job.state)) throw notRetryable(job);
  await deps.change(by, [job.buildId ?? job.id], async (tx) => {
    if (lease !== undefined) await bringLeaseBack(tx, job, lease);
    if (!(await tx.jobs.restart(job.id, [job.state], deps.now()))) throw notRetryable(job);
    const { kind, connectorId, buildId } = job;
    const details = { job: job.id, kind, connector: connectorId, from: job.state };
    tx.audit("job.retried", buildId ?? job.id, details);
  });
  return showJob(deps, jobId);
}

async function bringLeaseBack(tables: Tables, job: JobRow, lease: LeaseRow): Promise<void> {
  if (job.kind === "issue") {
    if (await tables.leases.update(lease.id, ["requires_action", "failed"], { state: "planned" })) return;
    // Its handler may have broken before it touched the lease.
    if (lease.state !== "planned") throw leaseGone(job, lease);
  }
  if (job.kind === "release") {
    if (await tables.leases.update(lease.id, ["requires_action"], { state: "releasing" })) return;
    if (lease.state !== "releasing") throw leaseGone(job, lease);
  }
}

function leaseGone(job: JobRow, lease: LeaseRow) {
  return jobConflict(
    job,
    `the lease of this job is ${lease.state}`,
    job.kind === "issue" ? "Create a new build to get it." : "You do not need to do anything.",
  );
}

function notRetryable(job: JobRow) {
  return job.state === "waiting"
    ? jobConflict(
        job,
        "the job is already waiting to run",
        "It runs automatically; `keyloan jobs show` shows when.",
      )
    : jobConflict(job, `the job is ${job.state}`, "Look at it again with `keyloan jobs show`.");
}
