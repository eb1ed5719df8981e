import { ProviderError } from "@keyloan/contract";
import { takeBackCopy } from "@keyloan/database-provisioner";
import { type StoredProgress, StoreError, type TransferRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { describeError } from "../../observe/logger.ts";
import { withRetry } from "../../queue/backoff.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { done, failed, type Outcome } from "../../queue/outcome.ts";
import { step } from "../../queue/step.ts";
import { mayAct, movableOf } from "./movable.ts";
import { isAsProven } from "./move-data.ts";
import { openEnds, setSourceWritable } from "./transfer-ends.ts";
import { beginWaiting } from "./transfer-jobs.ts";

const undoDeadlineMs = 10 * 60_000;
const closingDeadlineMs = 10_000;
const emptyRetriesMs = 20_000;
/**
 * Ends what a cancelled or failed transfer began: first the source accepts writes again, then our copy is taken out of
 * the user's database, and nothing that is not ours. Files stay, so that a later transfer copies only what is missing.
 * The source is tried until it is done; the target as long as it answers.
 */
export async function undoTransfer(deps: Deps, hold: JobHold, row: TransferRow): Promise<Outcome> {
  const open = row.endedAt === null || row.frozenAt !== null;
  if (!["cancelled", "failed"].includes(row.state) || !open) return done();
  // A build that is closing ends the source anyway, and waits for this.
  const limitMs = hold.cancelled.aborted ? closingDeadlineMs : undoDeadlineMs;
  const signal = AbortSignal.any([hold.signal, AbortSignal.timeout(limitMs)]);
  try {
    if ((await step(deps, hold, async () => true)) === undefined) return done();
    const unfrozen = await unfreeze(deps, hold, row, signal);
    const undone = await emptyTarget(deps, hold, unfrozen, signal);
    return done((tx) => recordEnded(deps, tx, unfrozen, undone));
  } catch (error) {
    if (error instanceof StoreError) throw error;
    deps.logger.warn(
      { transferId: row.id, ...describeError(error) },
      "a transfer is not undone yet; the broker tries again",
    );
    const why = "not undone yet";
    return failed({ provider: row.connectorId, code: why, message: why, remedy: "", retryable: true });
  }
}

/** Lets the app write to what was lent again. */
async function unfreeze(
  deps: Deps,
  hold: JobHold,
  row: TransferRow,
  signal: AbortSignal,
): Promise<TransferRow> {
  if (row.frozenAt === null) return row;
  const lease = await deps.store.read.leases.find(row.leaseId);
  // A lease that has ended took its database with it.
  if (lease?.state === "active") await setSourceWritable(deps, lease, true, signal);
  await step(deps, hold, async (tx) => {
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
  if (!mayAct(row, deps.now())) return nobodyCan;
  const ends = await openEnds(deps, row, connector, signal);
  // Without the keys, or with a build that is closed, nobody can.
  if (ends === undefined) return nobodyCan;
  let left = target;
  const whole = () => ({
    isAsProven: isAsProven(row),
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
      "a copy could not be removed from the user's database",
    );
    return { target: left, kept: 0 };
  }
}

async function recordPart(deps: Deps, hold: JobHold, row: TransferRow): Promise<void> {
  const progress = { ...row.progress, target: "part", phase: "emptying", at: deps.now() } as const;
  const held = await step(deps, hold, (tx) => tx.transfers.update(row.id, [row.state], { progress }));
  if (held !== true) throw new Error("another worker is undoing the transfer now");
}

async function recordEnded(deps: Deps, tx: Unit, row: TransferRow, { target, kept }: Undone): Promise<void> {
  const { target: _, ...rest } = row.progress ?? { phase: "waiting", at: row.createdAt };
  const progress = { ...rest, ...(target === undefined ? {} : { target }) };
  if (!(await tx.transfers.update(row.id, [row.state], { endedAt: deps.now(), progress }))) return;
  const details = { connector: row.connectorId, transferId: row.id, kept };
  if (kept > 0) tx.audit("transfer.left_theirs", row.buildId, details);
  // Keys of a person who has ended were kept for this alone.
  await tx.userKeys.removeLeftBehind(row.buildId);
  await beginWaiting(tx, row.buildId, deps.now());
}
