import { describeError } from "../observe/logger.ts";
import type { Services } from "../services.ts";
import { closeBuild } from "../verbs/builds/close-build.ts";
import { holdMs } from "./new-job.ts";
import { runDueWork } from "./schedule.ts";

const claimIntervalMs = 1_000;
const claimMax = 20;
const sweepIntervalMs = 15_000;
const sweepMax = 50;
const shredIntervalMs = 30_000;
const cleanIntervalMs = 3_600_000;
const scheduleIntervalMs = 10_000;
const keepMs = 7 * 24 * 3_600_000;

export type Worker = { readonly stop: () => Promise<void> };

/** Everything that happens without a request: jobs left by others, expiries, org-key checks, cleaning. */
export function startWorker(services: Services): Worker {
  const stopping = new AbortController();
  const loops = [
    repeat(services, stopping.signal, claimIntervalMs, () => claimJobs(services)),
    repeat(services, stopping.signal, sweepIntervalMs, () => sweepExpired(services)),
    repeat(services, stopping.signal, shredIntervalMs, services.store.eraseDeleted),
    repeat(services, stopping.signal, cleanIntervalMs, () => cleanUp(services)),
    repeat(services, stopping.signal, scheduleIntervalMs, () => runDueWork(services, stopping.signal)),
  ];
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Takes due jobs that nobody holds, such as those of a process that died, and runs them. */
export async function claimJobs(services: Services): Promise<number> {
  const { now, store, workerId } = services;
  const jobs = await store.write((tables) => tables.jobs.claimDue(workerId, now(), now() + holdMs, claimMax));
  // A claimed job runs in the background: a slow provider must not hold up the next claim.
  for (const job of jobs) void services.runner.run(job.buildId ?? job.entityId, [job]);

  return jobs.length;
}

/** Closes builds whose time is over. */
export async function sweepExpired(services: Services): Promise<number> {
  const expired = await services.store.read.builds.listExpired(services.now(), sweepMax);
  for (const build of expired) {
    const { settled } = await closeBuild(services, { kind: "system", part: "expiry" }, build.id, {
      reason: "expired",
    });
    await settled;
  }
  return expired.length;
}

async function cleanUp({ store, now }: Services): Promise<void> {
  const before = now() - keepMs;
  await store.write(async (tables) => {
    await tables.tokens.deleteExpired(before);
    await tables.sessions.deleteExpired(before);
    await tables.handoffs.deleteExpired(before);
    await tables.idempotencyKeys.deleteOlderThan(before);
    await tables.jobs.deleteEnded(before);
  });
}

async function repeat(
  services: Services,
  signal: AbortSignal,
  intervalMs: number,
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    await services.sleep(intervalMs, signal);
    if (signal.aborted) return;
    try {
      await work();
    } catch (error) {
      services.logger.error(describeError(error), "background work failed; it is tried again");
    }
  }
}
