import type { ClaimedJob, JobRow, LeaseRow, Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { endArchives } from "../databases/remove-archive.ts";
import { isMaking, type ReleaseStart, releaseJobs } from "./release-jobs.ts";

export type EndedLeases = {
  /** Those that had not begun to end before. */
  readonly leases: readonly LeaseRow[];
  /** What ends them at their providers, written already. */
  readonly jobs: readonly ClaimedJob[];
};

/**
 * Lets leases begin to end, in the caller's transaction: their values are removed, work that would make something
 * for them is cancelled, and the jobs are written that end them at their providers. One that has begun to end,
 * or has ended, stays as it is.
 */
export async function endLeases(
  deps: Pick<Deps, "now" | "randomBytes" | "workerId" | "connectors">,
  tables: Tables,
  leases: readonly LeaseRow[],
  start: ReleaseStart = {},
): Promise<EndedLeases> {
  const open = await tables.endings.openJobsOf(leases.map(({ id }) => id));
  const ending = leases.filter((lease) => !hasBegunToEnd(lease, open));
  const pendingOf = ({ id }: LeaseRow) => open.filter(({ entityId }) => entityId === id);
  const pointless = ending.flatMap((lease) => pendingOf(lease).filter(isMaking));
  await tables.endings.cancelJobs(
    pointless.map(({ id }) => id),
    deps.now(),
  );
  await tables.endings.startReleases(ending);
  const jobs = ending.flatMap((lease) => releaseJobs(deps, lease, pendingOf(lease), start));
  await tables.jobs.insertAll(jobs);
  await endArchives(deps, tables, ending);
  return { leases: ending, jobs };
}

function hasBegunToEnd({ id, state }: LeaseRow, open: readonly JobRow[]): boolean {
  if (state === "releasing" || state === "released") return true;
  // A person is asked to end it.
  return state === "needs_hands" && open.some(({ entityId, kind }) => entityId === id && kind === "release");
}
