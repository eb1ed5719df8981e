import type { ClaimedJob, StoredLeaseError, StoredRequiredAction } from "@keyloan/store";
import type { Unit } from "../change.ts";
import type { Deps } from "../deps.ts";
import type { Notice } from "../notify/notice.ts";
import type { RequiredAction } from "./outcome.ts";

/** No time at which a job is run by itself: the latest a date can be. */
export const never = 8_640_000_000_000_000;

const hourMs = 3_600_000;

/**
 * Lets a job that this process holds wait for a person: it keeps what is to be done and by when, and somebody is told.
 * A job that requires manual action already keeps its clock, and nobody is told again.
 * @param code what failed, as it is kept with the job
 * @param runAgainAt when it is tried again by itself; absent: never
 * @returns false when another worker holds the job now, or it has ended
 */
export async function requireAction(
  deps: Pick<Deps, "config" | "now">,
  tx: Unit,
  job: ClaimedJob,
  { message, steps, variables }: RequiredAction,
  code: string,
  runAgainAt: number = never,
): Promise<boolean> {
  const since = deps.now();
  const first = { since, dueAt: since + deps.config.actionHours * hourMs };
  // Somebody may have been reminded since this process took the job.
  const known = (await tx.jobs.find(job.id))?.requiredAction;
  const requiredAction: StoredRequiredAction = {
    ...(known ?? first),
    steps,
    ...(variables === undefined ? {} : { variables }),
  };
  if (!(await tx.jobs.requireAction(job.id, job.fence, requiredAction, runAgainAt, code))) return false;
  if (job.state === "requires_action") return true;
  const { connectorId, buildId, kind } = job;
  const details = { job: job.id, kind, connector: connectorId, code, dueAt: requiredAction.dueAt };
  tx.audit("job.requires_action", buildId ?? job.id, details);
  tx.notice(actionNotice({ ...job, requiredAction }, "job.requires_action", message));
  return true;
}

/** A notice about a job that requires action. */
export function actionNotice(
  job: ClaimedJob,
  type: "job.requires_action" | "job.reminder" | "job.overdue" | "job.resolved",
  message: string,
): Notice {
  const { id: jobId, buildId, connectorId, requiredAction } = job;
  return {
    type,
    message,
    jobId,
    ...(buildId === null ? {} : { buildId }),
    ...(connectorId === null ? {} : { connectorId }),
    ...(type === "job.resolved" || requiredAction === null
      ? {}
      : { remedy: showRemedy(jobId), steps: requiredAction.steps, dueAt: requiredAction.dueAt }),
  };
}

const showRemedy = (jobId: string) => `See what to do with \`keyloan jobs show ${jobId}\`.`;

/** The error that a lease keeps, with a remedy that leads to the job. */
export function withJob(error: StoredLeaseError, jobId: string): StoredLeaseError {
  return { ...error, remedy: `This requires manual action: ${showRemedy(jobId)} ${error.remedy}` };
}
