import type { Connector } from "@keyloan/contract";
import { type StoredLeaseError, type StoredProgress, StoreError, type TransferRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { again, done, failed, type Outcome } from "../../queue/outcome.ts";
import { movableOf, switchWithinMs } from "./movable.ts";
import { type Moved, moveData, provenMarks } from "./move-data.ts";
import { signReceipt } from "./receipt.ts";
import { transferDeadlineSeconds } from "./start-transfer.ts";
import { mayPass, toTransferError } from "./transfer-errors.ts";
import { beginWaiting, transferJob } from "./transfer-jobs.ts";
import { type TransferWatch, watchTransfer } from "./watch-transfer.ts";

const retry = { firstSeconds: 4, mostSeconds: 15, runs: 4 } as const;

/**
 * Moves the data of one connector, or, when it was ended meanwhile, has it undone. It may be run again after a crash at
 * any instant: a database is copied anew, of files only what is missing.
 */
export const moveJob = defineJob({
  run: runTransfer,
  deadlineSeconds: transferDeadlineSeconds,
  movesContent: true,
  retry,
  giveUp: "fail",
});

async function runTransfer(deps: Deps, hold: JobHold): Promise<Outcome> {
  const row = await deps.store.read.transfers.find(hold.job.entityId);
  const connector = row === undefined ? undefined : deps.connectors.get(row.connectorId);
  const movable = connector === undefined ? undefined : movableOf(connector);
  if (row === undefined || connector === undefined || movable === undefined) return done();
  if (row.state === "copied" || row.state === "switched") return done();
  if (row.state === "cancelled" || row.state === "failed") return undone(row);
  const watch = watchTransfer(deps, hold, row);
  try {
    await watch.keepNow({ state: "copying", lastError: null });
    const moved = await moveData(deps, row, { connector, movable }, watch);
    await recordCopied(deps, row, watch, moved);
    return done();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    return endedWith(deps, hold, row, connector, watch, error);
  } finally {
    watch.stop();
  }
}

/** What was begun is undone by a job of its own. */
function undone(row: TransferRow): Outcome {
  return done(async (tx) => tx.job(transferJob("end-transfer", row)));
}

async function recordCopied(deps: Deps, row: TransferRow, watch: TransferWatch, moved: Moved): Promise<void> {
  const provenAt = deps.now();
  const switchBy = provenAt + switchWithinMs;
  const receipt = await signReceipt(deps, row, moved, provenAt);
  watch.reportStep({ phase: "proven" });
  const marks = { ...provenMarks(moved), target: "whole", switchBy } as const;
  await watch.keepNow({ state: "copied", receipt }, marks, async (tx) => {
    tx.job(transferJob("end-transfer", row), switchBy);
    await beginWaiting(tx, row.buildId, provenAt);
    const { rows, objects, bytes } = marks;
    const details = { connector: row.connectorId, transferId: row.id, rows, objects, bytes, switchBy };
    tx.audit("transfer.copied", row.buildId, details);
  });
}

async function endedWith(
  deps: Deps,
  { job }: JobHold,
  row: TransferRow,
  connector: Connector,
  watch: TransferWatch,
  error: unknown,
): Promise<Outcome> {
  const endedBy = watch.endedBy();
  // Whoever takes it next goes on.
  if (endedBy === "hold") return again(deps.now(), "stopped");
  if (endedBy === "unwanted") return undone(row);
  const lastError = toTransferError(error, connector);
  const progress = watch.progress();
  if (endedBy === undefined && mayPass(error) && job.attempts < retry.runs) {
    return failed({ ...lastError, retryable: true }, async (tx) =>
      tx.transfers.update(row.id, ["copying"], { lastError, progress }),
    );
  }
  if (lastError.code === "internal" && endedBy === undefined) {
    deps.logger.error({ transferId: row.id, ...describeError(error) }, "a transfer failed unexpectedly");
  }
  return done((tx) => recordFailure(tx, row, progress, endedBy === "cancelled" ? closing : lastError));
}

async function recordFailure(
  tx: Unit,
  row: TransferRow,
  progress: StoredProgress,
  lastError: StoredLeaseError,
): Promise<void> {
  const state = lastError === closing ? ("cancelled" as const) : ("failed" as const);
  tx.job(transferJob("end-transfer", row));
  if (!(await tx.transfers.update(row.id, ["waiting", "copying"], { state, lastError, progress }))) return;
  const { code, status, requestId } = lastError;
  const details = { connector: row.connectorId, transferId: row.id, code, status, requestId };
  tx.audit(`transfer.${state}`, row.buildId, details);
}

const closing: StoredLeaseError = {
  provider: "keyloan",
  code: "build_closed",
  message: "the app was closed while its data was being moved",
  remedy: "You do not need to do anything.",
  retryable: false,
};
