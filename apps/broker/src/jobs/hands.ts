import type { ClaimedJob, LeaseRow, StoredHandsNeeded, StoredLeaseError } from "@keyloan/store";
import type { Unit } from "../change.ts";
import type { Deps } from "../deps.ts";
import type { Notice } from "../notify/notice.ts";

/** No time at which a job is run by itself: the latest a date can be. */
export const never = 8_640_000_000_000_000;

const hourMs = 3_600_000;

export type NeededHands = {
  /** What happened, in one sentence; no value and nothing of a provider's words. */
  readonly message: string;
  readonly steps: StoredHandsNeeded["steps"];
  /** Variables that a person may supply instead; absent: none. */
  readonly variables?: readonly string[];
  /** What failed, as it is kept with the job. */
  readonly errorCode: string;
  /** When it is tried again by itself; absent: never. */
  readonly runAgainAt?: number;
  /** What is kept with the lease; its remedy then leads to the job. */
  readonly leaseError?: StoredLeaseError;
};

type HandsDeps = Pick<Deps, "config" | "now">;

/**
 * Lets a job that this process holds wait for a person: it keeps what is to be done and by when, the lease that
 * is given shows it, and somebody is told, all in the caller's transaction. A job that waits for a person already
 * keeps its clock, and nobody is told again.
 * @returns false when another worker holds the job now, or it has ended
 */
export async function needHands(
  deps: HandsDeps,
  tx: Unit,
  job: ClaimedJob,
  lease: LeaseRow | undefined,
  needs: NeededHands,
): Promise<boolean> {
  const since = deps.now();
  const first = { since, dueAt: since + deps.config.handsHours * hourMs };
  const hands: StoredHandsNeeded = {
    ...(job.hands ?? first),
    steps: needs.steps,
    ...(needs.variables === undefined ? {} : { variables: needs.variables }),
  };
  const runAfter = needs.runAgainAt ?? never;
  if (!(await tx.jobs.needHands(job.id, job.fence, hands, runAfter, needs.errorCode))) return false;
  if (lease !== undefined) {
    await tx.leases.update(lease.id, [lease.state], {
      state: "needs_hands",
      ...(needs.leaseError === undefined ? {} : { lastError: withShow(needs.leaseError, job.id) }),
    });
  }
  if (job.state === "needs_hands") return true;
  const { connectorId, buildId, kind } = job;
  const details = { job: job.id, kind, connector: connectorId, code: needs.errorCode, dueAt: hands.dueAt };
  tx.audit("job.needs_hands", buildId ?? job.id, details);
  tx.notice(handsNotice({ ...job, hands }, "job.needs_hands", needs.message));
  return true;
}

/** A notice about a job that needs hands. */
export function handsNotice(
  job: ClaimedJob,
  type: "job.needs_hands" | "job.reminder" | "job.overdue" | "job.resolved",
  message: string,
): Notice {
  const { id: jobId, buildId, connectorId, hands } = job;
  return {
    type,
    message,
    jobId,
    ...(buildId === null ? {} : { buildId }),
    ...(connectorId === null ? {} : { connectorId }),
    ...(type === "job.resolved" || hands === null
      ? {}
      : { remedy: showRemedy(jobId), steps: hands.steps, dueAt: hands.dueAt }),
  };
}

const showRemedy = (jobId: string) => `See what to do with \`keyloan jobs show ${jobId}\`.`;

function withShow(error: StoredLeaseError, jobId: string): StoredLeaseError {
  return { ...error, remedy: `A person is needed: ${showRemedy(jobId)} ${error.remedy}` };
}
