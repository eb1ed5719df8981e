import type { Deps } from "./deps.ts";
import { describeError } from "./observe/logger.ts";
import { claimDueJobs } from "./queue/claim-jobs.ts";
import { runDueWork } from "./schedule.ts";
import { isDegraded } from "./verbs/audit/audit-standing.ts";
import { sweepExpired } from "./verbs/builds/sweep-expired.ts";

export { claimJobs } from "./queue/claim-jobs.ts";
export { sweepExpired };

const claimIntervalMs = 1_000;
const claimPauseMs = 25;
const sweepIntervalMs = 5_000;
const shredIntervalMs = 30_000;
const cleanIntervalMs = 3_600_000;
const scheduleIntervalMs = 10_000;
const countIntervalMs = 5_000;
const keepMs = 7 * 24 * 3_600_000;

export type Worker = { readonly stop: () => Promise<void> };

/** Everything that happens without a request: jobs left by others, expiries, org-key checks, cleaning. */
export function startWorker(deps: Deps): Worker {
  const stopping = new AbortController();
  const loops = [
    repeat(deps, stopping.signal, "jobs", claimIntervalMs * deps.pace, () =>
      workThroughJobs(deps, stopping.signal),
    ),
    repeat(deps, stopping.signal, "expiry", sweepIntervalMs, () => endWhatIsDue(deps, stopping.signal)),
    repeat(deps, stopping.signal, "erasing", shredIntervalMs, deps.store.eraseDeleted),
    repeat(deps, stopping.signal, "cleaning", cleanIntervalMs, () => cleanUp(deps)),
    repeat(deps, stopping.signal, "refusals", countIntervalMs, deps.refusals.writeDue),
    repeat(deps, stopping.signal, "schedule", scheduleIntervalMs, () => runDueWork(deps, stopping.signal)),
  ];
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Claims and runs due jobs as long as there are any. */
async function workThroughJobs(deps: Deps, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  while (!signal.aborted) {
    for (const run of await claimDueJobs(deps)) {
      running.add(run);
      void run.then(() => running.delete(run));
    }
    if (running.size === 0) return;
    const oneEnded = new AbortController();
    const wait = deps.sleep(claimIntervalMs * deps.pace, AbortSignal.any([signal, oneEnded.signal]));
    await Promise.race([...running, wait]);
    oneEnded.abort();
    // What ends together makes room together: each claim costs a transaction, and requests come in between.
    await deps.sleep(claimPauseMs, signal);
  }
}

/** A store that was put back does not know what was renewed since, so by it nothing ends. */
export async function endWhatIsDue(deps: Deps, signal: AbortSignal): Promise<void> {
  if (!(await isDegraded(deps))) await sweepExpired(deps, signal);
}

async function cleanUp({ store, now }: Deps): Promise<void> {
  const before = now() - keepMs;
  await store.write([], async (tables) => {
    await tables.tokens.deleteExpired(before);
    await tables.sessions.deleteExpired(before);
    await tables.handoffs.deleteExpired(before);
    await tables.idempotencyKeys.deleteOlderThan(before);
    await tables.jobs.deleteEnded(before);
  });
}

async function repeat(
  deps: Deps,
  signal: AbortSignal,
  name: string,
  intervalMs: number,
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    await deps.sleep(intervalMs, signal);
    if (signal.aborted) return;
    try {
      await work();
      deps.workWatch.noteDone(name);
    } catch (error) {
      deps.workWatch.noteFailure(name);
      deps.logger.error(
        { work: name, ...describeError(error) },
        "background work failed; the broker tries it again",
      );
    }
  }
}
