import type { ClaimedJob, Tables, TransferRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { type JobKind, newHeldJob, newWaitingJob } from "../../jobs/new-job.ts";
import { movingStates } from "./movable.ts";

type JobDeps = Pick<Deps, "now" | "randomBytes" | "workerId">;
type TransferIds = Pick<TransferRow, "id" | "buildId" | "connectorId">;

export function transferJob(
  deps: JobDeps,
  kind: Extract<JobKind, "transfer" | "end-transfer">,
  { id: entityId, buildId, connectorId }: TransferIds,
  runAfter: number = deps.now(),
): ClaimedJob {
  return newWaitingJob(deps, { kind, entityId, buildId, connectorId }, runAfter);
}

/** A job that this process holds and must run. */
export function heldTransferJob(
  deps: JobDeps,
  kind: Extract<JobKind, "transfer" | "end-transfer">,
  { id: entityId, buildId, connectorId }: TransferIds,
): ClaimedJob {
  return newHeldJob(deps, { kind, entityId, buildId, connectorId });
}

/**
 * Gives jobs to the build's transfers that wait and may begin. Files go first, because the app can go on writing
 * meanwhile; a database begins when no files are being moved, so that it takes no writes as shortly as can be.
 */
export async function beginWaiting(
  deps: JobDeps,
  tables: Tables,
  buildId: string,
  /** Makes the jobs: by default such as any process may take. */
  makeJob: typeof heldTransferJob = transferJob,
): Promise<ClaimedJob[]> {
  const moving = (await tables.transfers.listByBuild(buildId)).filter(({ state }) =>
    movingStates.includes(state),
  );
  const files = moving.some(({ kind }) => kind === "storage");
  const jobs: ClaimedJob[] = [];
  for (const row of moving) {
    if (row.state !== "waiting" || (row.kind === "database" && files)) continue;
    if (!(await hasJob(tables, row.id))) jobs.push(makeJob(deps, "transfer", row));
  }
  await tables.jobs.insertAll(jobs);
  return jobs;
}

/** Whether some worker has or will have something to do for a transfer. */
export async function hasJob(tables: Tables, transferId: string): Promise<boolean> {
  return (await tables.jobs.listByEntity(transferId)).some(({ state }) => state === "waiting");
}
