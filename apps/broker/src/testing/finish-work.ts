import type { Deps } from "../deps.ts";
import { claimDueJobs } from "../queue/claim-jobs.ts";

/** Runs what is due now, until nothing is and nothing runs in this broker any more. */
export async function finishWork(deps: Deps, ...buildIds: readonly string[]): Promise<void> {
  for (;;) {
    const runs = await claimDueJobs(deps);
    await Promise.all([...runs, ...buildIds.map((id) => deps.runner.settled(id))]);
    if (runs.length > 0) continue;
    if (deps.runner.load().length === 0) return;
    // The broker's own background work holds what is left.
    await deps.sleep(5);
  }
}
