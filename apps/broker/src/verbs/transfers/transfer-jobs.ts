import type { Tables, TransferRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { JobKind, NewJob } from "../../queue/new-job.ts";
import { movingStates } from "./movable.ts";

/** The work that is to be done for a transfer. */
export function transferJob(
  kind: Extract<JobKind, "transfer" | "end-transfer" | "end-notes">,
  { id: entityId, buildId, connectorId }: Pick<TransferRow, "id" | "buildId" | "connectorId">,
): NewJob {
  return { kind, entityId, buildId, connectorId };
}

/**
 * Gives jobs to the build's transfers that wait and may begin. Files go first, because the app can go on writing
 * meanwhile; a database begins when no files are being moved, so that it takes no writes as shortly as can be.
 * @param runAfter absent: at once, in this process
 */
export async function beginWaiting(tx: Unit, buildId: string, runAfter?: number): Promise<void> {
  const moving = (await tx.transfers.listByBuild(buildId)).filter(({ state }) =>
    movingStates.includes(state),
  );
  const files = moving.some(({ kind }) => kind === "storage");
  for (const row of moving) {
    if (row.state !== "waiting" || (row.kind === "database" && files)) continue;
    if (!(await hasJob(tx, row.id))) tx.job(transferJob("transfer", row), runAfter);
  }
}

/** Whether some worker has or will have something to do for a transfer, besides removing its notes. */
export async function hasJob(tables: Tables, transferId: string): Promise<boolean> {
  return (await tables.jobs.listByEntity(transferId)).some(
    ({ state, kind }) => state === "waiting" && kind !== "end-notes",
  );
}
