import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { endArchives } from "../databases/remove-archive.ts";
import { addReleaseJobs, isMaking, type ReleaseStart } from "./release-jobs.ts";

/**
 * Lets leases begin to end, in the caller's change: their values are removed, work that would make something for them
 * is cancelled, and jobs end them at their providers. One that has begun to end, or has ended, stays as it is.
 * @returns those that had not begun to end before
 */
export async function endLeases(
  deps: Pick<Deps, "now" | "workerId" | "connectors">,
  tx: Unit,
  leases: readonly LeaseRow[],
  start: ReleaseStart = {},
): Promise<readonly LeaseRow[]> {
  const open = await tx.endings.openJobsOf(leases.map(({ id }) => id));
  const ending = leases.filter((lease) => !hasBegunToEnd(lease, open));
  const pendingOf = ({ id }: LeaseRow) => open.filter(({ entityId }) => entityId === id);
  const pointless = ending.flatMap((lease) => pendingOf(lease).filter(isMaking));
  await tx.endings.cancelJobs(
    pointless.map(({ id }) => id),
    deps.now(),
  );
  await tx.endings.startReleases(ending);
  for (const lease of ending) addReleaseJobs(deps, tx, lease, pendingOf(lease), start);
  await endArchives(deps, tx, ending);
  return ending;
}

function hasBegunToEnd({ id, state }: LeaseRow, open: readonly JobRow[]): boolean {
  if (state === "releasing" || state === "released") return true;
  // A person is asked to end it.
  return (
    state === "requires_action" && open.some(({ entityId, kind }) => entityId === id && kind === "release")
  );
}
