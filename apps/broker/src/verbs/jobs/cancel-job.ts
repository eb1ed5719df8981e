import type { CancelledJob } from "@keyloan/contract";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { By, Details } from "../../audit-row.ts";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { suppliable } from "../leases/action-steps.ts";
import { markReadyWhenComplete } from "../leases/mark-ready.ts";
import { markReleased } from "../leases/mark-released.ts";
import { addReleaseJobs } from "../leases/release-jobs.ts";
import { findJob, jobConflict, showJob } from "./list-jobs.ts";
import { verifyGone } from "./verify-gone.ts";

type Cancelling = { readonly deps: Deps; readonly by: By; readonly job: JobRow };

/**
 * Ends a job that nobody wants any more, unless that would leave something alive at a provider: an issue is
 * ended with its lease, and a release only when a person says by name that the resource has been removed.
 * @throws BrokerError `not_found`, or `conflict`, also for work that is ended in another way
 */
export async function cancelJob(
  deps: Deps,
  by: By,
  jobId: string,
  confirm: string | undefined,
): Promise<CancelledJob> {
  const { job, lease } = await findJob(deps, jobId);
  const cancelling = { deps, by, job };
  if (job.state === "done" || job.state === "cancelled") throw hasEnded(job);
  if (job.kind === "notify") return cancelAlone(cancelling);
  if (lease !== undefined && job.kind === "issue") return cancelIssue(cancelling, lease);
  if (lease !== undefined && (job.kind === "release" || job.kind === "release-again"))
    return cancelRelease(cancelling, lease, confirm);
  throw jobConflict(
    job,
    `a job of the kind ${job.kind} cannot be cancelled: something could be left half done`,
    "It ends together with what it belongs to; `keyloan jobs retry` runs it again.",
  );
}

async function cancelAlone({ deps, by, job }: Cancelling): Promise<CancelledJob> {
  await deps.change(by, [job.buildId ?? job.id], async (tx) => {
    if (!(await tx.jobs.cancel(job.id, deps.now()))) throw hasEnded(job);
    auditCancelled(tx, job);
  });
  return { job: await showJob(deps, job.id) };
}

/** The build goes on without what was to be issued. */
async function cancelIssue(cancelling: Cancelling, lease: LeaseRow): Promise<CancelledJob> {
  const { deps, by, job } = cancelling;
  const bindings = await deps.store.read.bindings.listByBuild(lease.buildId);
  if (!bindings.some(({ connectorId }) => connectorId !== lease.connectorId)) {
    throw jobConflict(job, "the build would have nothing left", `Close it with \`keyloan build close\`.`);
  }
  // What is being issued now may still finish its call under way; it must not begin another.
  deps.runner.cancel(lease.buildId);
  await deps.runner.settled(lease.buildId);
  const spec = deps.connectors.get(lease.connectorId)?.spec;
  const lacks = { connector: lease.connectorId, variables: spec === undefined ? [] : suppliable(spec) };
  await deps.change(by, [lease.buildId], async (tx) => {
    const pending = (await tx.jobs.listByEntity(lease.id)).filter(({ state }) => state === "waiting");
    const unissued = ["planned", "requires_action", "failed"] as const;
    if (!(await tx.jobs.cancel(job.id, deps.now()))) throw hasEnded(job);
    if (!(await tx.leases.update(lease.id, unissued, { state: "releasing", env: null }))) throw hasEnded(job);
    await tx.bindings.remove(lease.buildId, lease.connectorId);
    addReleaseJobs(deps, tx, lease, pending);
    auditCancelled(tx, job, { lacks });
    await markReadyWhenComplete(tx, lease.buildId);
  });
  return { job: await showJob(deps, job.id), lacks };
}

/** Only a person's word, checked where the provider can be asked, ends what could still be alive. */
async function cancelRelease(
  { deps, by, job }: Cancelling,
  lease: LeaseRow,
  confirm: string | undefined,
): Promise<CancelledJob> {
  const names = Object.values(lease.handle);
  const accepted = names.length === 0 ? [lease.id] : names;
  if (confirm === undefined || !accepted.includes(confirm)) {
    throw jobConflict(
      job,
      `the build's resource at ${lease.connectorId} may still exist: ${accepted.join(", ")}`,
      `Remove it by hand, then confirm with its name: ${accepted[0]}.`,
    );
  }
  const found = await verifyGone(deps, lease);
  if (found === "there") {
    throw jobConflict(job, `${lease.connectorId} still has ${confirm}`, "Remove it there first.");
  }
  const verified = found === "gone";
  await deps.change(by, [lease.buildId], async (tx) => {
    if (!(await tx.jobs.cancel(job.id, deps.now()))) throw hasEnded(job);
    const details = { confirmed: confirm, verified };
    auditCancelled(tx, job, details);
    if (job.kind === "release") await markReleased(deps, tx, lease, details);
  });
  return { job: await showJob(deps, job.id), verified };
}

function auditCancelled(tx: Unit, { id, kind, connectorId, buildId }: JobRow, more: Details = {}): void {
  tx.audit("job.cancelled", buildId ?? id, { job: id, kind, connector: connectorId, ...more });
}

function hasEnded(job: JobRow) {
  return jobConflict(
    job,
    "the job has ended, or is ending right now",
    "Look at it again with `keyloan jobs show`.",
  );
}
