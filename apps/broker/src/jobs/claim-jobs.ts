import { setImmediate as eventLoopTurn } from "node:timers/promises";
import type { ClaimedJob, Tables } from "@keyloan/store";
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
  const jobs = await deps.store.write([], async (tables) => {
    await noteClock(deps, tables);
    return takeJobs(deps, tables, load);
  });
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

async function takeJobs(deps: Deps, tables: Tables, load: readonly (string | null)[]): Promise<ClaimedJob[]> {
  const { workerId, now, connectors } = deps;
  const taken: ClaimedJob[] = [];
  const take = async (limit: number, connectorId?: string | null) => {
    taken.push(...(await tables.jobs.claimDue(workerId, now(), now() + holdMs, limit, connectorId)));
  };
  const freeNow = () => runsAtOnceMax - load.length - taken.length;
  let isBusy = false;
  for (const connectorId of inTurn(deps, [...connectors.keys(), null])) {
    const running = load.filter((each) => each === connectorId).length;
    const room = Math.min(freeNow(), runsPerConnectorMax - running);
    if (room > 0) await take(room, connectorId);
    else isBusy = true;
  }
  // Jobs of connectors that are not installed here wait until the others have nothing to do.
  if (taken.length === 0 && !isBusy) await take(freeNow());
  return taken;
}

/** Another one first each time, so that none always takes the last room. */
function inTurn<Item>({ randomBytes }: Pick<Deps, "randomBytes">, items: readonly Item[]): Item[] {
  const first = (randomBytes(1)[0] ?? 0) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** When the clock was set back, what waits would wait as much longer: it is moved along. */
async function noteClock({ now, logger }: Deps, tables: Tables): Promise<void> {
  const setBackMs = await tables.schedules.noteClock(now(), clockToleranceMs);
  if (setBackMs === 0) return;
  const jobs = await tables.jobs.comeEarlier(setBackMs, now());
  logger.warn({ setBackMs, jobs }, "the clock was set back; what waits comes as much earlier");
}
