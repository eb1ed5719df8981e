import { type DatabaseSummary, ProviderError } from "@keyloan/contract";
import { takeBackCopy } from "@keyloan/database-provisioner";
import { type StoredProgress, StoreError, type TransferRow } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { backoffMs, withRetry } from "../../jobs/backoff.ts";
import { holdMs } from "../../jobs/new-job.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { describeError } from "../../observe/logger.ts";
import { movableOf } from "./movable.ts";
import { summarySha256 } from "./move-data.ts";
import { openEnds, setSourceWritable } from "./transfer-ends.ts";
import { beginWaiting } from "./transfer-jobs.ts";

const undoDeadlineMs = 10 * 60_000;
const closingDeadlineMs = 10_000;
const emptyRetriesMs = 20_000;
const firstWaitMs = 2_000;
const waitMsMax = 300_000;

/**
 * Ends what a cancelled or failed transfer began: first the source takes writes again, then our copy is taken out of
 * the user's database, and nothing that is not ours. Files stay, so that a later transfer copies only what is missing. The source is tried until
 * it is done; the target as long as it answers.
 */
export async function undoTransfer(deps: Deps, hold: JobHold, row: TransferRow): Promise<void> {
  const { id, fence } = hold.job;
  const { store, now } = deps;
  const open = row.endedAt === null || row.frozenAt !== null;
  if (!["cancelled", "failed"].includes(row.state) || !open) {
    await store.write([row.id], (tables) => tables.jobs.finish(id, fence, "done"));
    return;
  }
  if (!(await store.write([row.id], (tables) => tables.jobs.extend(id, fence, now() + holdMs)))) return;
  // A build that is closing ends the source anyway, and waits for this.
  const limitMs = hold.cancelled.aborted ? closingDeadlineMs : undoDeadlineMs;
  const signal = AbortSignal.any([hold.signal, AbortSignal.timeout(limitMs)]);
  try {
    const unfrozen = await unfreeze(deps, hold, row, signal);
    const undone = await emptyTarget(deps, hold, unfrozen, signal);
    await recordEnded(deps, hold, unfrozen, undone);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    deps.logger.warn(
      { transferId: row.id, ...describeError(error) },
      "a transfer is not undone yet; it is tried again",
    );
    const waitMs = backoffMs(deps.randomBytes, hold.job.attempts, firstWaitMs, waitMsMax);
    await store.write([row.id], (tables) => tables.jobs.retry(id, fence, now() + waitMs, "not undone yet"));
  }
}

/** Lets the app write to what was lent again. */
async function unfreeze(
  deps: Deps,
  { job }: JobHold,
  row: TransferRow,
  signal: AbortSignal,
): Promise<TransferRow> {
  if (row.frozenAt === null) return row;
  const lease = await deps.store.read.leases.find(row.leaseId);
  // A lease that has ended took its database with it.
  if (lease?.state === "active") await setSourceWritable(deps, lease, true, signal);
  await deps.change(byJob(job), [row.buildId], async (tx) => {
    if (!(await tx.jobs.extend(job.id, job.fence, deps.now() + holdMs))) return;
    if (!(await tx.transfers.update(row.id, [row.state], { frozenAt: null }))) return;
    const details = { connector: row.connectorId, transferId: row.id };
    tx.audit("transfer.unfrozen", row.buildId, details);
  });
  return { ...row, frozenAt: null };
}

type Undone = {
  /** What of us is still there. */
  readonly target: StoredProgress["target"];
  /** How much is there that is not ours, and was left. */
  readonly kept: number;
};

/** Takes our copy out of the user's database, and nothing else; the whole of it stays when they work with it already. */
async function emptyTarget(
  deps: Deps,
  hold: JobHold,
  row: TransferRow,
  signal: AbortSignal,
): Promise<Undone> {
  const target = row.progress?.target;
  const connector = deps.connectors.get(row.connectorId);
  const movable = connector === undefined ? undefined : movableOf(connector);
  const nobodyCan = { target, kept: 0 };
  if (target === undefined || connector === undefined || movable?.kind !== "database") return nobodyCan;
  const ends = await openEnds(deps, row, connector, signal);
  // Without the keys, or with a build that is closed, nobody can.
  if (ends === undefined) return nobodyCan;
  let left = target;
  const whole = () => ({
    isAsProven: (summary: DatabaseSummary) => summarySha256(summary) === row.progress?.provenSha256,
    // A copy that is half gone when this is tried again is still ours, though it is not as it was proven.
    beforeTaking: async () => {
      await recordPart(deps, hold, row);
      left = "part";
    },
  });
  try {
    const limits = { untilMs: deps.now() + emptyRetriesMs, signal };
    const copy = { content: movable.content, to: ends.to, owner: row.id };
    const { kept } = await withRetry(deps, limits, () =>
      takeBackCopy({ ...copy, ...(left === "whole" ? { whole: whole() } : {}) }),
    );
    return { target: undefined, kept };
  } catch (error) {
    if (signal.aborted || !(error instanceof ProviderError)) throw error;
    deps.logger.warn(
      { transferId: row.id, ...describeError(error) },
      "a copy could not be taken out of the user's database",
    );
    return { target: left, kept: 0 };
  }
}

async function recordPart(deps: Deps, { job }: JobHold, row: TransferRow): Promise<void> {
  const progress = { ...row.progress, target: "part", phase: "emptying", at: deps.now() } as const;
  const held = await deps.store.write(
    [row.buildId],
    async (tables) =>
      (await tables.jobs.extend(job.id, job.fence, deps.now() + holdMs)) &&
      (await tables.transfers.update(row.id, [row.state], { progress })),
  );
  if (!held) throw new Error("another worker undoes the transfer now");
}

async function recordEnded(
  deps: Deps,
  { job }: JobHold,
  row: TransferRow,
  { target, kept }: Undone,
): Promise<void> {
  await deps.change(byJob(job), [row.buildId], async (tx) => {
    if (!(await tx.jobs.finish(job.id, job.fence, "done"))) return;
    const { target: _, ...rest } = row.progress ?? { phase: "waiting", at: row.createdAt };
    const progress = { ...rest, ...(target === undefined ? {} : { target }) };
    const ended = { endedAt: deps.now(), progress };
    if (!(await tx.transfers.update(row.id, [row.state], ended))) return;
    const details = { connector: row.connectorId, transferId: row.id, kept };
    if (kept > 0) tx.audit("transfer.left_theirs", row.buildId, details);
    // Keys of a person who has ended were kept for this alone.
    await tx.userKeys.removeLeftBehind(row.buildId);
    await beginWaiting(tx, row.buildId, deps.now());
  });
}
