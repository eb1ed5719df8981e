import { claimDueJobs } from "../jobs/claim-jobs.ts";
import type { Services } from "../services.ts";

/** Runs what is due now, until nothing is and nothing runs in this broker any more. */
export async function finishWork(services: Services, ...buildIds: readonly string[]): Promise<void> {
  for (;;) {
    const runs = await claimDueJobs(services);
    await Promise.all([...runs, ...buildIds.map((id) => services.runner.settled(id))]);
    if (runs.length > 0) continue;
    if (services.runner.load().length === 0) return;
    // The broker's own background work holds what is left.
    await services.sleep(5);
  }
}
