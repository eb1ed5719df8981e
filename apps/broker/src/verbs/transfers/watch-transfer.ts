import { BrokerError, type TransferProgress } from "@keyloan/contract";
import type { StoredProgress, TransferRow } from "@keyloan/store";
import type { Unit } from "../../change.ts";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { step } from "../../queue/step.ts";
import { type ProgressWatch, watchProgress } from "../../queue/watch-progress.ts";

const tickMs = 500;

export type TransferWatch = ProgressWatch<StoredProgress> & {
  /** The same without what belongs to the transfer rather than to the step. */
  readonly reportStep: (step: TransferProgress) => void;
  /**
   * Keeps a change now, if this worker still holds the job and the transfer is where it was.
   * @throws what the signal says when it is not
   */
  readonly keepNow: (
    changes: Partial<TransferRow>,
    marks?: Partial<StoredProgress>,
    more?: (tx: Unit) => Promise<void>,
  ) => Promise<void>;
};

/** Writes progress now and then, and ends the move when it was cancelled, its build closes or another worker has it. */
export function watchTransfer(deps: Deps, hold: JobHold, row: TransferRow): TransferWatch {
  const { store, now } = deps;
  const watch = watchProgress<StoredProgress>(hold, {
    first: { ...row.progress, phase: row.progress?.phase ?? "waiting", at: now() },
    everyMs: tickMs,
    look: async () => {
      const build = await store.read.builds.find(row.buildId);
      if (build?.state === "closing" || build?.state === "closed") return "cancelled";
      return (await store.read.transfers.find(row.id))?.state === "copying" ? undefined : "unwanted";
    },
    keep: (progress) => writeHeld(deps, hold, row, { progress }),
  });
  return {
    ...watch,
    reportStep: (step) => {
      const { target, provenSha256, switchBy } = watch.progress();
      watch.report({
        ...withoutAbsent(step),
        ...withoutUndefined({ target, provenSha256, switchBy }),
        at: now(),
      });
    },
    keepNow: async (changes, marks = {}, more) => {
      watch.signal.throwIfAborted();
      const progress = { ...watch.progress(), ...marks, at: now() };
      watch.report(progress);
      if (!(await writeHeld(deps, hold, row, { ...changes, progress }, more))) watch.end("unwanted");
      watch.signal.throwIfAborted();
    },
  };
}

/** Writes for a job that this worker must still hold, and a transfer that must still be its to change. */
export async function writeHeld(
  deps: Deps,
  hold: JobHold,
  { id }: Pick<TransferRow, "id">,
  changes: Partial<TransferRow>,
  more?: (tx: Unit) => Promise<void>,
): Promise<boolean> {
  const from = changes.state === "copying" ? (["waiting", "copying"] as const) : (["copying"] as const);
  const kept = await step(deps, hold, async (tx) => {
    if (!(await tx.transfers.update(id, from, changes))) return false;
    await more?.(tx);
    return true;
  });
  return kept === true;
}

/** The same without members that are `undefined`, as the store keeps it. */
function withoutAbsent(step: TransferProgress): Omit<StoredProgress, "at"> {
  const { phase, rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal, item } = step;
  return { phase, ...withoutUndefined({ rows, rowsTotal, objects, objectsTotal, bytes, bytesTotal, item }) };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Holds because what is undefined was left out just now.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** The 409 for one that somebody wanted a day ago. */
export function askedTooLongAgo(): BrokerError {
  return new BrokerError(
    "conflict",
    "the move was requested more than a day ago and has not been done since",
    {
      remedy: "Move the data again.",
    },
  );
}

/** The 409 for a transfer whose ends are not there any more. */
export function endsGone(): BrokerError {
  return new BrokerError("conflict", "the keys that the data was being moved with are no longer saved", {
    remedy: "Save your keys again, then move the data.",
  });
}
