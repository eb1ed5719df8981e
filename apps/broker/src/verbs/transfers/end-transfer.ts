import type { Tables, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { defineJob, type JobHold } from "../../queue/define-job.ts";
import { again, done, type Outcome } from "../../queue/outcome.ts";
import { step } from "../../queue/step.ts";
import { endLeases } from "../leases/end-leases.ts";
import { previewUsesOwn } from "../settings/preview-answers.ts";
import { switchWithinMs } from "./movable.ts";
import { notSwitchedInTime } from "./transfer-errors.ts";
import { transferJob, untilDone } from "./transfer-jobs.ts";
import { undoTransfer } from "./undo-transfer.ts";

const lookAgainMs = 3_600_000;

/**
 * What comes after a transfer, whichever way it went: a proven copy that nobody switched to in time is given up,
 * what was cancelled or failed is undone, and the source of one that is in use ends with the time to go back. What was
 * stopped must be let go again, so it is tried until it is.
 */
export const endTransferJob = defineJob({
  run: endTransfer,
  deadlineSeconds: 900,
  retry: untilDone,
  giveUp: "fail",
});

async function endTransfer(deps: Deps, hold: JobHold): Promise<Outcome> {
  const row = await deps.store.read.transfers.find(hold.job.entityId);
  if (row?.state === "switched") return endSource(deps, row);
  if (row?.state === "cancelled" || row?.state === "failed") return undoTransfer(deps, hold, row);
  if (row?.state !== "copied") return done();
  const switchBy = row.progress?.switchBy ?? 0;
  const leftMs = switchBy - deps.now();
  // More than there ever was is left when the clock was set back: the app has not written for long enough.
  if (leftMs > 0 && leftMs <= switchWithinMs) return again(switchBy, "waits for the switch");
  if ((await giveUp(deps, hold, row)) !== true) return done();
  const newest = await deps.store.read.transfers.find(row.id);
  return newest === undefined ? done() : undoTransfer(deps, hold, newest);
}

/** Gives back what was lent, when the app has used the copy until the time to go back was over. */
async function endSource(deps: Deps, row: TransferRow): Promise<Outcome> {
  const waitsUntil = async (tables: Tables): Promise<number> => {
    const { build, binding, inUse } = await useOf(tables, row);
    const now = deps.now();
    // A build that is handed off or closed gives everything back by itself.
    if (build?.state !== "handing_off" || !inUse) return now;
    // The build goes on reading what was lent when its user keeps their own from it.
    const isRead = binding !== undefined && !previewUsesOwn(binding);
    return Math.max(build.revertibleUntil ?? 0, isRead ? now + lookAgainMs : 0);
  };
  const until = await waitsUntil(deps.store.read);
  if (until > deps.now()) return again(until, "waits until nobody can go back to it or read it");
  return done(async (tx) => {
    // The user may have switched anew at this moment.
    const later = await waitsUntil(tx);
    if (later > deps.now()) return void tx.job(transferJob("end-transfer", row), later);
    const { build, inUse } = await useOf(tx, row);
    const lease = await tx.leases.find(row.leaseId);
    if (build?.state !== "handing_off" || !inUse || lease === undefined) return;
    await tx.transfers.update(row.id, ["switched"], { frozenAt: null });
    await endLeases(deps, tx, [lease]);
    const details = { connector: row.connectorId, transferId: row.id, lease: row.leaseId };
    tx.audit("transfer.source_ended", row.buildId, details);
  });
}

async function useOf(tables: Tables, { buildId, connectorId, leaseId }: TransferRow) {
  const build = await tables.builds.find(buildId);
  const bindings = await tables.bindings.listByBuild(buildId);
  const binding = bindings.find((each) => each.connectorId === connectorId);
  return { build, binding, inUse: binding?.source === "user" && binding.leaseId === leaseId };
}

/** False when the user switched, or cancelled, at the last moment. */
function giveUp(deps: Deps, hold: JobHold, row: TransferRow): Promise<boolean | undefined> {
  const connector = deps.connectors.get(row.connectorId);
  const lastError = connector === undefined ? null : notSwitchedInTime(connector);
  return step(deps, hold, async (tx) => {
    const changes = { state: "failed", lastError, receipt: null } as const;
    if (!(await tx.transfers.update(row.id, ["copied"], changes))) return false;
    const details = { connector: row.connectorId, transferId: row.id, code: "not_switched" };
    tx.audit("transfer.failed", row.buildId, details);
    return true;
  });
}
