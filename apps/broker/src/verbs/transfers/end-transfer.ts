import type { TransferRow } from "@keyloan/store";
import type { JobHold } from "../../jobs/runner.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";
import { notSwitchedInTime } from "./transfer-errors.ts";
import { undoTransfer } from "./undo-transfer.ts";

/** Gives up a proven copy that nobody switched to in time, and undoes whatever ended without having been undone. */
export async function endTransfer(services: Services, hold: JobHold): Promise<void> {
  const { id, fence } = hold.job;
  const row = await services.store.read.transfers.find(hold.job.entityId);
  if (row === undefined || !["copied", "cancelled", "failed"].includes(row.state)) {
    await services.store.write((tables) => tables.jobs.finish(id, fence, "done"));
    return;
  }
  if (row.state !== "copied") return undoTransfer(services, hold, row);
  const switchBy = row.progress?.switchBy ?? 0;
  if (services.now() < switchBy) {
    await services.store.write((tables) => tables.jobs.retry(id, fence, switchBy, "waits for the switch"));
    return;
  }
  if (!(await giveUp(services, hold, row))) {
    await services.store.write((tables) => tables.jobs.finish(id, fence, "done"));
    return;
  }
  const newest = await services.store.read.transfers.find(row.id);
  if (newest !== undefined) await undoTransfer(services, hold, newest);
}

/** False when the user switched, or cancelled, at the last moment. */
async function giveUp(services: Services, { job }: JobHold, row: TransferRow): Promise<boolean> {
  const connector = services.connectors.get(row.connectorId);
  const lastError = connector === undefined ? null : notSwitchedInTime(connector);
  return services.store.write(async (tables) => {
    if (!(await tables.transfers.update(row.id, ["copied"], { state: "failed", lastError, receipt: null })))
      return false;
    const actor = { kind: "job", jobId: job.id } as const;
    const details = { connector: row.connectorId, transferId: row.id, code: "not_switched" };
    await tables.auditEvents.insertAll([
      auditRow(services, { actor, action: "transfer.failed", entity: row.buildId, details }),
    ]);
    return true;
  });
}
