import { newId } from "@keyloan/contract";
import type { ClaimedJob } from "@keyloan/store";
import type { Deps } from "../deps.ts";

export type JobKind = "issue" | "release" | "release-again";

/** How long a hold lasts past the work's own deadline, so that a slow end is not taken for a death. */
const holdMarginMs = 30_000;

export function holdMs(deps: Pick<Deps, "config">): number {
  return deps.config.issueDeadlineSeconds * 1000 + holdMarginMs;
}

/** A job row that this process holds from the start: written with the change that needs it, run at once. */
export function newHeldJob(
  deps: Pick<Deps, "now" | "randomBytes" | "workerId" | "config">,
  job: { readonly kind: JobKind; readonly leaseId: string; readonly buildId: string },
): ClaimedJob {
  return {
    ...newWaitingJob(deps, job, deps.now()),
    attempts: 1,
    lockedBy: deps.workerId,
    lockedUntil: deps.now() + holdMs(deps),
    fence: 1,
  };
}

/** A job row that any process may take from `runAfter` on. */
export function newWaitingJob(
  deps: Pick<Deps, "now" | "randomBytes">,
  job: { readonly kind: JobKind; readonly leaseId: string; readonly buildId: string },
  runAfter: number,
): ClaimedJob {
  return {
    id: newId("job", deps.randomBytes),
    kind: job.kind,
    entityId: job.leaseId,
    state: "waiting",
    runAfter,
    attempts: 0,
    lockedBy: null,
    lockedUntil: null,
    fence: 0,
    lastError: null,
    createdAt: deps.now(),
  };
}
