import { BrokerError, type TransferProgress } from "@keyloan/contract";
import type { StoredProgress, TransferRow } from "@keyloan/store";
import { byJob, type Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import { holdMs } from "../../jobs/new-job.ts";
import type { JobHold } from "../../jobs/runner.ts";

const tickMs = 500;

/** Why a move was ended from outside. */
export type EndedBy =
  /** The user, or another job, moved the transfer on. */
  | "moved_on"
  | "build_closing"
  /** Another worker has the job, or this process stops. */
  | "hold";

export type TransferWatch = {
  /** Ends everything under way. */
  readonly signal: AbortSignal;
  readonly endedBy: () => EndedBy | undefined;
  readonly report: (progress: TransferProgress) => void;
  readonly progress: () => StoredProgress;
  /**
   * Keeps a change now, if this worker still holds the job and the transfer is where it was.
   * @throws what the signal says when it is not
   */
  readonly keep: (
    changes: Partial<TransferRow>,
    marks?: Partial<StoredProgress>,
    more?: (tx: Unit) => Promise<void>,
  ) => Promise<void>;
  readonly stop: () => void;
};

/** Writes progress now and then, and ends the move when it was cancelled or is another worker's. */
export function watchTransfer(deps: Deps, hold: JobHold, row: TransferRow): TransferWatch {
  const { store, now } = deps;
  const ending = new AbortController();
  let progress: StoredProgress = { ...row.progress, phase: row.progress?.phase ?? "waiting", at: now() };
  let written = progress;
  let endedBy: EndedBy | undefined;
  const end = (why: EndedBy) => {
    endedBy ??= why;
    ending.abort(new DOMException("the move was ended", "AbortError"));
  };
  const endForHold = () => end(hold.signal.aborted ? "hold" : "build_closing");
  hold.cancelled.addEventListener("abort", endForHold, { once: true });
  hold.signal.addEventListener("abort", endForHold, { once: true });
  if (hold.cancelled.aborted || hold.signal.aborted) endForHold();

  const keep: TransferWatch["keep"] = async (changes, marks = {}, more) => {
    ending.signal.throwIfAborted();
    progress = { ...progress, ...marks, at: now() };
    const kept = await writeHeld(deps, hold, row, { ...changes, progress }, more);
    written = progress;
    if (!kept) end("moved_on");
    ending.signal.throwIfAborted();
  };
  const tick = async () => {
    const closing = await store.read.builds.find(row.buildId);
    if (closing?.state === "closing" || closing?.state === "closed") return end("build_closing");
    if (progress !== written) return keep({});
    if ((await store.read.transfers.find(row.id))?.state !== "copying") end("moved_on");
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
    endedBy: () => endedBy,
    report: (step) => {
      const { target, provenSha256, switchBy } = progress;
      const marks = {
        ...(target === undefined ? {} : { target }),
        ...(provenSha256 === undefined ? {} : { provenSha256 }),
        ...(switchBy === undefined ? {} : { switchBy }),
      };
      progress = { ...withoutAbsent(step), ...marks, at: now() };
    },
    progress: () => progress,
    keep,
    stop: () => {
      clearInterval(timer);
      hold.cancelled.removeEventListener("abort", endForHold);
      hold.signal.removeEventListener("abort", endForHold);
    },
  };
}

/** Writes for a job that this worker must still hold, and a transfer that must still be its to change. */
export async function writeHeld(
  { change, now }: Deps,
  { job }: JobHold,
  { id, buildId }: Pick<TransferRow, "id" | "buildId">,
  changes: Partial<TransferRow>,
  more?: (tx: Unit) => Promise<void>,
): Promise<boolean> {
  return change(byJob(job), [buildId], async (tx) => {
    if (!(await tx.jobs.extend(job.id, job.fence, now() + holdMs))) return false;
    const from = changes.state === "copying" ? (["waiting", "copying"] as const) : (["copying"] as const);
    if (!(await tx.transfers.update(id, from, changes))) return false;
    await more?.(tx);
    return true;
  });
}

/** The same without members that are `undefined`, as the store keeps it. */
function withoutAbsent(step: TransferProgress): Omit<StoredProgress, "at"> {
  const { phase, rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal, item } = step;
  return {
    phase,
    ...(rows === undefined ? {} : { rows }),
    ...(rowsTotal === undefined ? {} : { rowsTotal }),
    ...(objects === undefined ? {} : { objects }),
    ...(objectsTotal === undefined ? {} : { objectsTotal }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(bytesTotal === undefined ? {} : { bytesTotal }),
    ...(item === undefined ? {} : { item }),
  };
}

/** The 409 for a transfer whose ends are not there any more. */
export function endsGone(): BrokerError {
  return new BrokerError("conflict", "the keys that the data was being moved with are not saved any more", {
    remedy: "Save your keys again, then move the data.",
  });
}
