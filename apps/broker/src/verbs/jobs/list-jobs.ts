import {
  BrokerError,
  type JobList,
  type JobListQuery,
  type JobState,
  type JobView,
  jobStates,
} from "@keyloan/contract";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { decodeTimeCursor } from "../builds/list-builds.ts";
import { encodeCursor } from "../cursor.ts";
import { jobView } from "./views.ts";

/** A page of jobs, newest first. */
export async function listJobs(deps: Pick<Deps, "store" | "now">, query: JobListQuery): Promise<JobList> {
  const { cursor, kind, buildId, connector, limit } = query;
  const state = jobStates.find((known): known is JobState => known === query.state);
  const rows = await deps.store.read.jobs.list({
    ...(cursor === undefined ? {} : { after: decodeTimeCursor(cursor) }),
    ...(state === undefined ? {} : { state }),
    ...(kind === undefined ? {} : { kind }),
    ...(buildId === undefined ? {} : { buildId }),
    ...(connector === undefined ? {} : { connectorId: connector }),
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    jobs: page.map((job) => jobView(deps, job)),
    ...(rows.length > limit && last !== undefined
      ? { nextCursor: encodeCursor([last.createdAt, last.id]) }
      : {}),
  };
}

/** A job with what failed and what a person must do. @throws BrokerError `not_found` */
export async function showJob(deps: Pick<Deps, "store" | "now">, jobId: string): Promise<JobView> {
  const { job, lease } = await findJob(deps, jobId);
  const pauseMs =
    job.connectorId === null
      ? 0
      : await deps.store.read.providerLimits.pauseMsOf(job.connectorId, deps.now());
  return jobView(deps, job, { lease, pauseMs });
}

/** A job, and the lease it works on if it is one. @throws BrokerError `not_found` */
export async function findJob(
  deps: Pick<Deps, "store">,
  jobId: string,
): Promise<{ readonly job: JobRow; readonly lease: LeaseRow | undefined }> {
  const job = await deps.store.read.jobs.find(jobId);
  if (job !== undefined) return { job, lease: await deps.store.read.leases.find(job.entityId) };
  throw new BrokerError("not_found", `there is no job ${jobId}`, {
    remedy: "List the jobs with `keyloan jobs list`; ended jobs are deleted after seven days.",
  });
}

/** The 409 for what a job in its state does not allow. */
export function jobConflict(job: JobRow, why: string, remedy: string): BrokerError {
  return new BrokerError("conflict", why, {
    remedy,
    details: { job: job.id, kind: job.kind, state: job.state },
  });
}
