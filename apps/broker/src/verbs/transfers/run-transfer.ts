import type { Connector } from "@keyloan/contract";
import { type StoredLeaseError, StoreError, type TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { backoffMs } from "../../jobs/backoff.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { describeError } from "../../observe/logger.ts";
import { type Movable, movableOf, switchWithinMs } from "./movable.ts";
import { type Moved, moveData, provenMarks } from "./move-data.ts";
import { signReceipt } from "./receipt.ts";
import { mayPass, toTransferError } from "./transfer-errors.ts";
import { beginWaiting, transferJob } from "./transfer-jobs.ts";
import { undoTransfer } from "./undo-transfer.ts";
import { type TransferWatch, watchTransfer, writeHeld } from "./watch-transfer.ts";

const runsMax = 4;
const firstWaitMs = 2_000;
const waitMsMax = 15_000;

/**
 * Moves the data of one connector, or, when it was ended meanwhile, undoes what was begun. It may be run again
 * after a crash at any instant: a database is copied anew, of files only what is missing.
 */
export async function runTransfer(deps: Deps, hold: JobHold): Promise<void> {
  const row = await deps.store.read.transfers.find(hold.job.entityId);
  const connector = row === undefined ? undefined : deps.connectors.get(row.connectorId);
  const movable = connector === undefined ? undefined : movableOf(connector);
  if (row === undefined || connector === undefined || movable === undefined) return done(deps, hold);
  if (row.state === "copied" || row.state === "switched") return done(deps, hold);
  if (row.state === "cancelled" || row.state === "failed") return undoTransfer(deps, hold, row);
  const watch = watchTransfer(deps, hold, row);
  try {
    await watch.keep({ state: "copying", lastError: null });
    const moved = await moveData(deps, row, { connector, movable }, watch);
    await recordCopied(deps, hold, row, watch, moved);
  } catch (error) {
    await recordEnd(deps, hold, row, { connector, movable }, watch, error);
  } finally {
    watch.stop();
  }
}

async function recordCopied(
  deps: Deps,
  hold: JobHold,
  row: TransferRow,
  watch: TransferWatch,
  moved: Moved,
): Promise<void> {
  const provenAt = deps.now();
  const switchBy = provenAt + switchWithinMs;
  const receipt = await signReceipt(deps, row, moved, provenAt);
  watch.report({ phase: "proven" });
  const marks = { ...provenMarks(moved), target: "whole", switchBy } as const;
  await watch.keep({ state: "copied", receipt }, marks, async (tx) => {
    await tx.jobs.finish(hold.job.id, hold.job.fence, "done");
    tx.job(transferJob("end-transfer", row), switchBy);
    await beginWaiting(tx, row.buildId, provenAt);
    const { rows, objects, bytes } = marks;
    const details = { connector: row.connectorId, transferId: row.id, rows, objects, bytes, switchBy };
    tx.audit("transfer.copied", row.buildId, details);
  });
}

async function recordEnd(
  deps: Deps,
  hold: JobHold,
  row: TransferRow,
  known: { readonly connector: Connector; readonly movable: Movable },
  watch: TransferWatch,
  error: unknown,
): Promise<void> {
  const { id, fence, attempts } = hold.job;
  const { store, now } = deps;
  const endedBy = watch.endedBy();
  // Whoever takes it next goes on, or undoes it when its time was over.
  if (error instanceof StoreError) throw error;
  if (endedBy === "hold" && !isOverdue(hold)) {
    return void (await store.write([row.id], (tables) => tables.jobs.retry(id, fence, now(), "stopped")));
  }
  if (endedBy === "moved_on") return undoNewest(deps, hold, row);
  const lastError = toTransferError(error, known.connector);
  if (endedBy === undefined && mayPass(error) && attempts < runsMax) {
    const runAfter = now() + backoffMs(deps.randomBytes, attempts, firstWaitMs, waitMsMax);
    const kept = await writeHeld(deps, hold, row, { lastError, progress: watch.progress() }, async (tx) => {
      await tx.jobs.retry(id, fence, runAfter, lastError.code);
    });
    return kept ? undefined : undoNewest(deps, hold, row);
  }
  if (lastError.code === "internal" && endedBy === undefined) {
    deps.logger.error({ transferId: row.id, ...describeError(error) }, "a transfer broke");
  }
  await recordFailure(deps, hold, row, watch, endedBy === "build_closing" ? closing : lastError);
}

async function recordFailure(
  deps: Deps,
  hold: JobHold,
  row: TransferRow,
  watch: TransferWatch,
  lastError: StoredLeaseError,
): Promise<void> {
  const state = lastError === closing ? ("cancelled" as const) : ("failed" as const);
  const changes = { state, lastError, progress: watch.progress() };
  const { code, status, requestId } = lastError;
  const details = { connector: row.connectorId, transferId: row.id, code, status, requestId };
  await writeHeld(deps, hold, row, changes, async (tx) => {
    tx.audit(`transfer.${state}`, row.buildId, details);
  });
  await undoNewest(deps, hold, row);
}

/** Undoes it as it is now: it may have been cancelled in the very moment that it failed. */
async function undoNewest(deps: Deps, hold: JobHold, { id }: TransferRow): Promise<void> {
  const newest = await deps.store.read.transfers.find(id);
  if (newest !== undefined) await undoTransfer(deps, hold, newest);
}

const closing: StoredLeaseError = {
  provider: "keyloan",
  code: "build_closed",
  message: "the app was closed while its data was being moved",
  remedy: "Nothing is to be done.",
  retryable: false,
};

/** Whether the job's own time is over, rather than this process's or its hold. */
function isOverdue({ signal }: JobHold): boolean {
  return signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
}

async function done({ store }: Deps, { job }: JobHold): Promise<void> {
  await store.write([job.entityId], (tables) => tables.jobs.finish(job.id, job.fence, "done"));
}
