import { BrokerError, ProviderError } from "@keyloan/contract";
import { type ClaimedJob, StoreError } from "@keyloan/store";
import { byJob, type Unit } from "../change.ts";
import type { Deps } from "../deps.ts";
import { backoffMs } from "./backoff.ts";
import type { JobDefinition, JobHold } from "./define-job.ts";
import { toFailure } from "./failure.ts";
import { type Failure, failed, type Outcome, type RecordFailure, type Verdict } from "./outcome.ts";
import { actionNotice, requireAction } from "./require-action.ts";

const hourMs = 3_600_000;
/** A provider that limits the rate is waited for so long before it counts as an attempt. */
const busyMsMax = 6 * hourMs;

/**
 * Writes how a run ended, with what it records, if this worker still holds the job.
 * @throws what recording throws
 */
export async function settle(
  deps: Deps,
  { job }: JobHold,
  definition: JobDefinition,
  outcome: Outcome,
): Promise<void> {
  if (outcome.kind === "failed") {
    const failure = isFailure(outcome.error) ? outcome.error : toFailure(outcome.error, providerOf(job));
    if (failure === undefined) throw outcome.error;
    return settleFailure(deps, job, definition, failure, outcome.record);
  }
  const scope = [job.buildId ?? job.entityId];
  try {
    const isWritten = await deps.change(byJob(job), scope, (tx) => write(deps, tx, job, definition, outcome));
    if (!isWritten && outcome.kind === "done") await outcome.undo?.(undefined);
  } catch (error) {
    const isLost = error instanceof LostJob;
    if (outcome.kind === "done" && !(error instanceof StoreError))
      await outcome.undo?.(isLost ? undefined : error);
    if (!isLost) throw error;
  }
}

/** Another worker has the job now: what was written for it is undone. */
class LostJob extends Error {
  override readonly name = "LostJob";
}

/** False when what was to be recorded is not wanted any more. @throws LostJob */
async function write(
  deps: Deps,
  tx: Unit,
  job: ClaimedJob,
  definition: JobDefinition,
  outcome: Exclude<Outcome, { kind: "failed" }>,
): Promise<boolean> {
  const { id, fence } = job;
  switch (outcome.kind) {
    case "done": {
      // Before the end: what is recorded may be kept with the job.
      const isWanted = (await outcome.record(tx)) !== false;
      if (!(await tx.jobs.finish(id, fence, "done", undefined, deps.now()))) throw new LostJob();
      if (!isWanted) return false;
      const message = job.state === "requires_action" ? definition.resolved?.(job) : undefined;
      if (message !== undefined) tx.notice(actionNotice(job, "job.resolved", message));
      return true;
    }
    case "again":
      await outcome.record(tx);
      if (!(await tx.jobs.postpone(id, fence, outcome.at, outcome.why))) throw new LostJob();
      return true;
    case "requires_action":
      return requireAction(deps, tx, job, outcome.action, outcome.why, deps.now() + hourMs);
  }
}

/**
 * Decides by the policy what becomes of a job whose run failed or threw.
 * @throws the error when nobody can explain it: the handler broke
 */
export async function settleError(
  deps: Deps,
  hold: JobHold,
  definition: JobDefinition,
  error: unknown,
): Promise<void> {
  if (error instanceof StoreError) throw error;
  const known = await definition.onError?.(deps, hold, error);
  if (known !== undefined) return settle(deps, hold, definition, known);
  const failure = toFailure(error, providerOf(hold.job));
  if (failure === undefined) throw error;
  await settle(deps, hold, definition, failed(failure));
}

async function settleFailure(
  deps: Deps,
  job: ClaimedJob,
  definition: JobDefinition,
  failure: Failure,
  record: RecordFailure,
): Promise<void> {
  const verdict = verdictOf(deps, job, definition, failure);
  const action = verdict === "gave_up" ? await actionOf(deps, job, definition, failure) : undefined;
  await deps.change(byJob(job), [job.buildId ?? job.entityId], async (tx) => {
    if (!(await writeFailure(deps, tx, job, definition, failure, verdict, action))) return;
    const { retryAfterSeconds: _wait, isUnfinished: _left, ...error } = failure;
    await record(tx, error, verdict);
  });
}

async function writeFailure(
  deps: Deps,
  tx: Unit,
  job: ClaimedJob,
  { retry, giveUp }: JobDefinition,
  failure: Failure,
  verdict: Verdict,
  action: Awaited<ReturnType<typeof actionOf>>,
): Promise<boolean> {
  const { id, fence, attempts } = job;
  const backoff = backoffMs(
    deps.randomBytes,
    Math.max(attempts - 1, 0),
    retry.firstSeconds * 1000,
    retry.mostSeconds * 1000,
  );
  const ownMs = Math.ceil(backoff * deps.pace);
  const runAfter = deps.now() + Math.max(ownMs, (failure.retryAfterSeconds ?? 0) * 1000);
  if (verdict === "postponed") return tx.jobs.postpone(id, fence, runAfter, failure.code);
  if (verdict === "again") return tx.jobs.retry(id, fence, runAfter, failure.code);
  if (action === undefined || giveUp === "fail")
    return tx.jobs.finish(id, fence, "failed", failure.code, deps.now());
  const runAgainAt = giveUp.keepsTrying ? deps.now() + hourMs : undefined;
  return requireAction(deps, tx, job, action, failure.code, runAgainAt);
}

async function actionOf(deps: Deps, job: ClaimedJob, { giveUp }: JobDefinition, failure: Failure) {
  if (giveUp === "fail" || (giveUp.onlyUnfinished === true && failure.isUnfinished !== true))
    return undefined;
  return giveUp.ask(deps, job, failure);
}

function verdictOf({ now }: Deps, job: ClaimedJob, { retry }: JobDefinition, failure: Failure): Verdict {
  const ageMs = now() - job.createdAt;
  if (failure.code === "rate_limited" && ageMs < busyMsMax) return "postponed";
  if (retry.forSeconds !== undefined) return ageMs < retry.forSeconds * 1000 ? "again" : "gave_up";
  const { runs, refusedRuns = 1, unfinishedRuns = runs } = retry;
  const most = failure.isUnfinished === true ? unfinishedRuns : failure.retryable ? runs : refusedRuns;
  return job.attempts < most ? "again" : "gave_up";
}

const providerOf = ({ connectorId }: ClaimedJob): string => connectorId ?? "keyloan";

function isFailure(error: ProviderError | BrokerError | Failure): error is Failure {
  return !(error instanceof ProviderError) && !(error instanceof BrokerError);
}
