import type { ClaimedJob } from "@keyloan/store";
import { byJob } from "../change.ts";
import type { Deps } from "../deps.ts";
import { describeError } from "../observe/logger.ts";
import { giveBackAfterCrash, holdBack, mayEndProcess } from "./after-crash.ts";
import type { JobDefinition, JobHold } from "./define-job.ts";
import { holdMs } from "./new-job.ts";
import { settle, settleError } from "./settle.ts";

export type JobRunner = {
  /** Runs jobs that this process holds, all at once; resolves when each was tried, and never rejects. */
  readonly run: (buildId: string, jobs: readonly ClaimedJob[]) => Promise<void>;
  /**
   * The connectors of the jobs that run now, one entry for each job. One that takes long, such as moving data,
   * is counted for its first minute only: it keeps no place from others.
   */
  readonly load: () => readonly (string | null)[];
  /** Resolves when no job on this entity runs in this process. */
  readonly tried: (entityId: string) => Promise<void>;
  /** Resolves when nothing of the build runs in this process. */
  readonly settled: (buildId: string) => Promise<void>;
  /** Asks the build's running jobs to make no further attempt. */
  readonly cancel: (buildId: string) => void;
  /** Ends all work under way and waits for it. */
  readonly stop: () => Promise<void>;
};

const longRunMs = 60_000;

/**
 * Runs jobs in this process under their deadline, and knows which builds have work under way.
 * @param depsOf asked when a job runs: the runner is itself one of them
 */
export function createJobRunner(
  depsOf: () => Deps,
  definitions: Readonly<Record<string, JobDefinition | undefined>>,
): JobRunner {
  const running = new Map<
    string,
    { readonly done: Promise<void>; readonly cancel: () => void; readonly cancelled: AbortSignal }
  >();
  const stopping = new AbortController();
  const loads = new Map<ClaimedJob, number>();
  const tries = new Map<ClaimedJob, Promise<void>>();

  const runOne = async (job: ClaimedJob, cancelled: AbortSignal): Promise<void> => {
    const deps = depsOf();
    const definition = definitions[job.kind];
    const deadlineSeconds = definition?.deadlineSeconds ?? deps.config.issueDeadlineSeconds;
    const deadline = AbortSignal.timeout(deadlineSeconds * 1000);
    const held = keepHold(deps, job);
    loads.set(job, performance.now());
    const hold: JobHold = {
      job,
      signal: AbortSignal.any([deadline, stopping.signal, held.lost]),
      cancelled: AbortSignal.any([cancelled, held.lost]),
    };
    try {
      if (definition === undefined) throw new Error(`no handler for jobs of kind ${job.kind}`);
      if (mayEndProcess(job)) {
        const waits = definition.movesContent === true;
        await deps.change(byJob(job), [job.entityId], (tx) => holdBack(deps, tx, job, waits));
      } else await runAndSettle(deps, hold, definition);
    } catch (error) {
      deps.logger.error(
        { jobId: job.id, kind: job.kind, ...describeError(error) },
        "a job failed unexpectedly",
      );
      await deps
        .change(byJob(job), [job.entityId], (tx) => giveBackAfterCrash(deps, tx, job))
        // The hold runs out by itself when even this cannot be written.
        .catch(() => undefined);
    } finally {
      held.release();
      loads.delete(job);
    }
  };

  const settled = async (buildId: string): Promise<void> => {
    for (let work = running.get(buildId); work !== undefined; work = running.get(buildId)) await work.done;
  };

  const runner: JobRunner = {
    run: async (buildId, jobs) => {
      const before = running.get(buildId);
      const cancel = new AbortController();
      // What follows from work that is not wanted any more is wanted no more than that.
      if (before?.cancelled.aborted === true) cancel.abort();
      const cancelled = AbortSignal.any([cancel.signal, stopping.signal]);
      const own = Promise.all(
        jobs.map((job) => {
          const tried = runOne(job, cancelled).finally(() => tries.delete(job));
          tries.set(job, tried);
          return tried;
        }),
      );
      const done = Promise.all([own, before?.done]).then(() => {
        if (running.get(buildId)?.done === done) running.delete(buildId);
      });
      running.set(buildId, {
        done,
        cancelled: cancel.signal,
        cancel: () => {
          before?.cancel();
          cancel.abort();
        },
      });
      await own;
    },
    load: () => {
      const since = performance.now() - longRunMs;
      return [...loads].flatMap(([{ connectorId }, startedAt]) => (startedAt < since ? [] : [connectorId]));
    },
    tried: async (entityId) => {
      await Promise.all([...tries].flatMap(([job, tried]) => (job.entityId === entityId ? [tried] : [])));
    },
    settled,
    cancel: (buildId) => running.get(buildId)?.cancel(),
    stop: async () => {
      stopping.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
  return runner;
}

/** Runs a job that is held and writes how it ended. @throws what its definition cannot explain */
export async function runAndSettle(deps: Deps, hold: JobHold, definition: JobDefinition): Promise<void> {
  try {
    await settle(deps, hold, definition, await definition.run(deps, hold));
  } catch (error) {
    await settleError(deps, hold, definition, error);
  }
}

/** Pushes the end of a job's hold while it runs; `lost` ends the work when another worker has taken it over. */
function keepHold(deps: Deps, job: ClaimedJob): { readonly lost: AbortSignal; readonly release: () => void } {
  const lost = new AbortController();
  const push = async () => {
    const kept = await deps.store.write([job.id], (tables) =>
      tables.jobs.extend(job.id, job.fence, deps.now() + holdMs),
    );
    if (!kept) lost.abort(new Error("another worker holds the job now"));
  };
  // A push that fails is no loss of the hold: the next one comes before it ends.
  const timer = setInterval(() => void push().catch(() => undefined), holdMs / 3);
  return { lost: lost.signal, release: () => clearInterval(timer) };
}
