import { type ArchiveProgress, archiveProgressSchema, ProviderError } from "@keyloan/contract";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../jobs/runner.ts";

const tickMs = 1_000;
/** No single step is silent for so long. */
const stalledMs = 5 * 60_000;

export type WorkWatch = {
  /** Ends everything under way. */
  readonly signal: AbortSignal;
  /** The work was told to stop from outside: its failure is nobody's fault. */
  readonly wasStopped: () => boolean;
  readonly report: (progress: ArchiveProgress) => void;
  readonly stop: () => void;
};

/**
 * Keeps the progress of a job now and then, and ends its work when it is stuck, or not wanted any more because
 * its lease has moved on, its build closes, or another worker has the job.
 */
export function watchWork(deps: Deps, { job, ...hold }: JobHold, lease: LeaseRow): WorkWatch {
  const { store } = deps;
  const ending = new AbortController();
  let progress: ArchiveProgress = { phase: "waiting" };
  let written = progress;
  let changedAt = performance.now();
  let stopped = false;
  const end = () => {
    stopped ||= !isOverdue(hold.signal);
    ending.abort(hold.signal.aborted ? hold.signal.reason : new DOMException("not wanted", "AbortError"));
  };
  for (const signal of [hold.signal, hold.cancelled]) {
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
  }
  const tick = async () => {
    if ((await store.read.leases.find(lease.id))?.state !== lease.state) return end();
    if (progress !== written) {
      written = progress;
      await store.write([job.entityId], (tables) =>
        tables.jobs.setPayload(job.id, job.fence, { ...job.payload, progress: written }),
      );
    }
    if (performance.now() - changedAt < stalledMs) return;
    ending.abort(new ProviderError(lease.connectorId, "timeout", "has not moved anything for minutes"));
  };
  let ticking = false;
  const timer = setInterval(() => {
    if (ticking || ending.signal.aborted) return;
    ticking = true;
    // A tick that fails is followed by the next one.
    void tick()
      .catch(() => undefined)
      .finally(() => {
        ticking = false;
      });
  }, tickMs);
  return {
    signal: ending.signal,
    wasStopped: () => stopped,
    report: (step) => {
      progress = step;
      changedAt = performance.now();
    },
    stop: () => {
      clearInterval(timer);
      for (const signal of [hold.signal, hold.cancelled]) signal.removeEventListener("abort", end);
    },
  };
}

/** What a job was at when it last told. */
export function progressOf(job: Pick<JobRow, "payload">): ArchiveProgress {
  const parsed = archiveProgressSchema.safeParse(job.payload?.progress);
  return parsed.success ? parsed.data : { phase: "waiting" };
}

/** Whether the job's own time is over, rather than this process's or its hold. */
function isOverdue(signal: AbortSignal): boolean {
  return signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
}
