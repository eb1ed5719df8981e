import type { TransferRow } from "@keyloan/store";
import { byJob } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../jobs/runner.ts";
import { endLeases } from "../leases/end-leases.ts";
import { previewUsesOwn } from "../settings/preview-answers.ts";
import { switchWithinMs } from "./movable.ts";
import { notSwitchedInTime } from "./transfer-errors.ts";
import { undoTransfer } from "./undo-transfer.ts";

const lookAgainMs = 3_600_000;

/**
 * What comes after a transfer, whichever way it went: a proven copy that nobody switched to in time is given up,
 * what was cancelled or failed is undone, and the source of one that is in use ends with the time to go back.
 */
export async function endTransfer(deps: Deps, hold: JobHold): Promise<void> {
  const { id, fence } = hold.job;
  const row = await deps.store.read.transfers.find(hold.job.entityId);
  if (row?.state === "switched") return endSource(deps, hold, row);
  if (row?.state === "cancelled" || row?.state === "failed") return undoTransfer(deps, hold, row);
  if (row?.state !== "copied") {
    await deps.store.write([row?.id ?? id], (tables) => tables.jobs.finish(id, fence, "done"));
    return;
  }
  const switchBy = row.progress?.switchBy ?? 0;
  const leftMs = switchBy - deps.now();
  // More than there ever was is left when the clock was set back: the app has not written for long enough.
  if (leftMs > 0 && leftMs <= switchWithinMs) {
    await deps.store.write([row?.id ?? id], (tables) =>
      tables.jobs.retry(id, fence, switchBy, "waits for the switch"),
    );
    return;
  }
  if (!(await giveUp(deps, hold, row))) {
    await deps.store.write([row?.id ?? id], (tables) => tables.jobs.finish(id, fence, "done"));
    return;
  }
  const newest = await deps.store.read.transfers.find(row.id);
  if (newest !== undefined) await undoTransfer(deps, hold, newest);
}

/** Gives back what was lent, when the app has used the copy until the time to go back was over. */
async function endSource(deps: Deps, { job }: JobHold, row: TransferRow): Promise<void> {
  await deps.change(byJob(job), [row.buildId], async (tx) => {
    const build = await tx.builds.find(row.buildId);
    const binding = (await tx.bindings.listByBuild(row.buildId)).find(
      ({ connectorId }) => connectorId === row.connectorId,
    );
    const inUse = binding?.source === "user" && binding.leaseId === row.leaseId;
    const now = deps.now();
    // The build goes on reading what was lent when its user keeps their own from it.
    const isRead = binding !== undefined && !previewUsesOwn(binding);
    const until = Math.max(build?.revertibleUntil ?? 0, isRead ? now + lookAgainMs : 0);
    // A build that is handed off or closed gives everything back by itself.
    if (build?.state === "handing_off" && inUse && now < until) {
      await tx.jobs.retry(job.id, job.fence, until, "waits until nobody can go back to it or reads it");
      return;
    }
    if (!(await tx.jobs.finish(job.id, job.fence, "done"))) return;
    const lease = await tx.leases.find(row.leaseId);
    if (build?.state !== "handing_off" || !inUse || lease === undefined) return;
    await tx.transfers.update(row.id, ["switched"], { frozenAt: null });
    await endLeases(deps, tx, [lease]);
    const details = { connector: row.connectorId, transferId: row.id, lease: row.leaseId };
    tx.audit("transfer.source_ended", row.buildId, details);
  });
}

/** False when the user switched, or cancelled, at the last moment. */
async function giveUp(deps: Deps, { job }: JobHold, row: TransferRow): Promise<boolean> {
  const connector = deps.connectors.get(row.connectorId);
  const lastError = connector === undefined ? null : notSwitchedInTime(connector);
  return deps.change(byJob(job), [row.buildId], async (tx) => {
    if (!(await tx.transfers.update(row.id, ["copied"], { state: "failed", lastError, receipt: null })))
      return false;
    const details = { connector: row.connectorId, transferId: row.id, code: "not_switched" };
    tx.audit("transfer.failed", row.buildId, details);
    return true;
  });
}
