import type { Tables, TransferRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Retry } from "../../queue/define-job.ts";
import type { JobKind, NewJob } from "../../queue/new-job.ts";
import { movingStates } from "./movable.ts";

/** What has been begun has to be ended: it is tried for as long as there is something to try it with. */
export const untilDone = {
  firstSeconds: 4,
  mostSeconds: 300,
  runs: Number.POSITIVE_INFINITY,
  refusedRuns: Number.POSITIVE_INFINITY,
} as const satisfies Retry;

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
