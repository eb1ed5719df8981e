import type { Deps } from "../deps.ts";
import { claimDueJobs } from "../queue/claim-jobs.ts";

/** Runs what is due now, until nothing is and nothing runs in this broker any more. */
export async function finishWork(deps: Deps, ...buildIds: readonly string[]): Promise<void> {
  for (;;) {
    const runs = await claimDueJobs(deps);
    await Promise.all([...runs, ...buildIds.map((id) => deps.runner.settled(id))]);
    if (runs.length > 0) continue;
    // The broker's own background work may hold what is left, which it does a moment before it runs.
    const waiting = await deps.store.read.jobs.list({ state: "waiting", limit: 1_000 });
    if (!waiting.some(({ lockedBy }) => lockedBy === deps.workerId)) return;
    await deps.sleep(5);
  }
}
