import type { JobHold } from "./define-job.ts";

/** Why work was ended from outside. */
export type EndedBy =
  /** Its own time is over. */
  | "deadline"
  /** Another worker has the job, or this process stops. */
  | "hold"
  /** No further attempt is wanted: its build closes. */
  | "cancelled"
  /** What it works on has moved on. */
  | "unwanted"
  /** Nothing has moved for too long. */
  | "stalled";

export type ProgressWatch<Progress> = {
  /** Ends everything under way. */
  readonly signal: AbortSignal;
  readonly endedBy: () => EndedBy | undefined;
  readonly report: (progress: Progress) => void;
  readonly progress: () => Progress;
  readonly end: (by: EndedBy, reason?: unknown) => void;
  readonly stop: () => void;
};

export type WatchOptions<Progress> = {
  readonly first: Progress;
  readonly everyMs: number;
  /** Asked each time: why the work is to end, if it is. One that fails is followed by the next. */
  readonly look: () => Promise<EndedBy | undefined>;
  /** Keeps what was reported since the last time. */
  readonly keep: (progress: Progress) => Promise<unknown>;
  /** How long nothing may be reported, and what the work ends with then. */
  readonly stalled?: { readonly afterMs: number; readonly reason: () => unknown };
};

/** Keeps the progress of a job now and then, and ends its work when it is stuck or not wanted any more. */
export function watchProgress<Progress>(
  hold: Pick<JobHold, "signal" | "cancelled">,
  { first, everyMs, look, keep, stalled }: WatchOptions<Progress>,
): ProgressWatch<Progress> {
  const ending = new AbortController();
  let endedBy: EndedBy | undefined;
  let progress = first;
  let kept = first;
  let reportedAt = performance.now();
  const end = (by: EndedBy, reason: unknown = new DOMException("the work was cancelled", "AbortError")) => {
    endedBy ??= by;
    ending.abort(reason);
  };
  const follow = () => {
    if (!hold.signal.aborted) return end("cancelled");
    end(isOverdue(hold.signal) ? "deadline" : "hold", hold.signal.reason);
  };
  const followed = [hold.signal, hold.cancelled];
  for (const signal of followed) signal.addEventListener("abort", follow, { once: true });
  if (followed.some(({ aborted }) => aborted)) follow();
  const tick = async () => {
    const by = await look();
    if (by !== undefined) return end(by);
    if (progress !== kept) {
      kept = progress;
      await keep(progress);
    }
    if (stalled !== undefined && performance.now() - reportedAt >= stalled.afterMs)
      end("stalled", stalled.reason());
  };
  let isTicking = false;
  const timer = setInterval(() => {
    if (isTicking || ending.signal.aborted) return;
    isTicking = true;
    void tick()
      .catch(() => undefined)
      .finally(() => {
        isTicking = false;
      });
  }, everyMs);
  return {
    signal: ending.signal,
    endedBy: () => endedBy,
    report: (step) => {
      progress = step;
      reportedAt = performance.now();
    },
    progress: () => progress,
    end,
    stop: () => {
      clearInterval(timer);
      for (const signal of followed) signal.removeEventListener("abort", follow);
    },
  };
}

function isOverdue({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
