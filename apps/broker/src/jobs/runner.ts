import type { ClaimedJob } from "@keyloan/store";
import type { Deps } from "../deps.ts";
import { describeError } from "../observe/logger.ts";

/** One job that this process holds now. */
export type JobHold = {
  readonly job: ClaimedJob;
  /** Ends every call under way: the deadline has passed or the process stops. */
  readonly signal: AbortSignal;
  /** No further attempt is wanted; the call under way may end by itself. */
  readonly cancelled: AbortSignal;
};

export type JobHandler = (deps: Deps, hold: JobHold) => Promise<void>;

export type JobRunner = {
  /** Runs jobs that this process holds, all at once; resolves when each was tried, and never rejects. */
  readonly run: (buildId: string, jobs: readonly ClaimedJob[]) => Promise<void>;
  /** Resolves when nothing of the build runs in this process. */
  readonly settled: (buildId: string) => Promise<void>;
  /** Asks the build's running jobs to make no further attempt. */
  readonly cancel: (buildId: string) => void;
  /** Ends all work under way and waits for it. */
  readonly stop: () => Promise<void>;
};

const retryAfterCrashMs = 5_000;

/** Runs jobs in this process under the issue deadline, and knows which builds have work under way. */
export function createJobRunner(deps: Deps, handlers: Readonly<Record<string, JobHandler>>): JobRunner {
  const running = new Map<string, { readonly done: Promise<void>; readonly cancel: AbortController }>();
  const stopping = new AbortController();

  const runOne = async (job: ClaimedJob, cancelled: AbortSignal): Promise<void> => {
    const deadline = AbortSignal.timeout(deps.config.issueDeadlineSeconds * 1000);
    const hold: JobHold = { job, signal: AbortSignal.any([deadline, stopping.signal]), cancelled };
    try {
      const handler = handlers[job.kind];
      if (handler === undefined) throw new Error(`no handler for jobs of kind ${job.kind}`);
      await handler(deps, hold);
    } catch (error) {
      deps.logger.error(
        { jobId: job.id, kind: job.kind, ...describeError(error) },
        "a job failed unexpectedly",
      );
      const runAfter = deps.now() + retryAfterCrashMs;
      await deps.store
        .write((tables) => tables.jobs.retry(job.id, job.fence, runAfter, "unexpected failure"))
        // The hold runs out by itself when even this cannot be written.
        .catch(() => undefined);
    }
  };

  const settled = async (buildId: string): Promise<void> => {
    for (let work = running.get(buildId); work !== undefined; work = running.get(buildId)) await work.done;
  };

  return {
    run: async (buildId, jobs) => {
      const before = running.get(buildId);
      const cancel = new AbortController();
      const cancelled = AbortSignal.any([cancel.signal, stopping.signal]);
      const own = Promise.all(jobs.map((job) => runOne(job, cancelled)));
      const done = Promise.all([own, before?.done]).then(() => {
        if (running.get(buildId)?.done === done) running.delete(buildId);
      });
      running.set(buildId, { done, cancel });
      await own;
    },
    settled,
    cancel: (buildId) => running.get(buildId)?.cancel.abort(),
    stop: async () => {
      stopping.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
