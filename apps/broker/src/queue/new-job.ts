import { newId } from "@keyloan/contract";
import type { ClaimedJob } from "@keyloan/store";
import type { Deps } from "../deps.ts";

/** Every kind of work that outlives a request. */
export type JobKind =
  | "issue"
  | "release"
  | "release-again"
  | "plan-rekey"
  | "rekey"
  | "rotate"
  | "prove-dead"
  | "archive"
  | "drop-archived"
  | "restore"
  | "remove-archive"
  | "transfer"
  | "end-transfer"
  | "end-notes"
  | "notify";

export type NewJob = {
  readonly kind: JobKind;
  /** What it works on: a lease, an archive, a transfer, an org key. */
  readonly entityId: string;
  readonly buildId?: string;
  /** The provider it calls. */
  readonly connectorId?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
};

/**
 * How long a hold lasts. The runner pushes its end while the work goes on, so it only has to outlast a process
 * that is busy for a moment, and a dead one's work is taken over soon.
 */
export const holdMs = 30_000;

/** A job row that this process holds from the start: written with the change that needs it, run at once. */
export function newHeldJob(deps: Pick<Deps, "now" | "randomBytes" | "workerId">, job: NewJob): ClaimedJob {
  return {
    ...newWaitingJob(deps, job, deps.now()),
    attempts: 1,
    lockedBy: deps.workerId,
    lockedUntil: deps.now() + holdMs,
    fence: 1,
  };
}

/** A job row that any process may take from `runAfter` on. */
export function newWaitingJob(
  deps: Pick<Deps, "now" | "randomBytes">,
  job: NewJob,
  runAfter: number,
): ClaimedJob {
  return {
    id: newId("job", deps.randomBytes),
    kind: job.kind,
    entityId: job.entityId,
    state: "waiting",
    runAfter,
    attempts: 0,
    lockedBy: null,
    lockedUntil: null,
    fence: 0,
    lastError: null,
    createdAt: deps.now(),
    buildId: job.buildId ?? null,
    connectorId: job.connectorId ?? null,
    payload: job.payload ?? null,
    requiredAction: null,
    endedAt: null,
  };
}
