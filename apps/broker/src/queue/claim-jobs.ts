import { setImmediate as eventLoopTurn } from "node:timers/promises";
import type { Claimed, Tables } from "@keyloan/store";
import { bySystem } from "../change.ts";
import type { Deps } from "../deps.ts";
import { holdMs } from "./new-job.ts";

/** So many jobs of the background run at once in a process, and so many of them with one provider. */
const runsAtOnceMax = 32;
const runsPerConnectorMax = 8;
/** How far the clocks of brokers on one store may differ. */
const clockToleranceMs = 600_000;

/**
 * Takes due jobs that nobody holds, as many as there is room for beside those that run, and runs them.
 * @returns for each, when it has been tried
 */
export async function claimDueJobs(deps: Deps): Promise<readonly Promise<void>[]> {
  const load = deps.runner.load();
  if (load.length >= runsAtOnceMax) return [];
  const without = await deps.heldBack();
  const { jobs, refused } = await deps.change(bySystem("jobs"), [], async (tx) => {
    await noteClock(deps, tx);
    const taken = await takeJobs(deps, tx, load, without);
    for (const id of taken.refused) tx.audit("job.refused", id);
    return taken;
  });
  for (const jobId of refused)
    deps.logger.error(
      { jobId },
      "a job that this broker did not write was not run: somebody else writes to the store",
    );
  // A claimed job runs in the background: a slow provider must not hold up the next claim.
  const runs: Promise<void>[] = [];
  for (const job of jobs) {
    runs.push(deps.runner.run(job.buildId ?? job.entityId, [job]));
    await eventLoopTurn();
  }
  return runs;
}

/** The same, and how many it took. */
export async function claimJobs(deps: Deps): Promise<number> {
  return (await claimDueJobs(deps)).length;
}

async function takeJobs(
  { workerId: worker, now, connectors }: Deps,
  tables: Tables,
  load: readonly (string | null)[],
  without: readonly string[],
): Promise<Claimed> {
  const times = {
    worker,
    now: now(),
    lockedUntil: now() + holdMs,
    limit: runsAtOnceMax - load.length,
    without,
  };
  const rooms = [...connectors.keys(), null].map((connectorId) => {
    const running = load.filter((each) => each === connectorId).length;
    return { connectorId, room: runsPerConnectorMax - running };
  });
  const free = rooms.filter(({ room }) => room > 0);
  const taken = await tables.jobs.claimDue({ ...times, rooms: free });
  // Jobs of connectors that are not installed here wait until the others have nothing to do.
  const isAny = taken.jobs.length > 0 || taken.refused.length > 0;
  return isAny || free.length < rooms.length ? taken : tables.jobs.claimDue(times);
}

/** When the clock was set back, what waits would wait as much longer: it is moved along. */
async function noteClock({ now, logger }: Deps, tables: Tables): Promise<void> {
  const setBackMs = await tables.schedules.noteClock(now(), clockToleranceMs);
  if (setBackMs === 0) return;
  const jobs = await tables.jobs.comeEarlier(setBackMs, now());
  logger.warn({ setBackMs, jobs }, "the clock was set back; waiting jobs run earlier by the same amount");
}
