import { type ArchiveProgress, archiveProgressSchema, ProviderError } from "@keyloan/contract";
import type { JobRow, LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { keepPayload } from "../../queue/step.ts";
import { type ProgressWatch, watchProgress } from "../../queue/watch-progress.ts";

const tickMs = 1_000;
/** No single step is silent for so long. */
const stalledMs = 5 * 60_000;

export type WorkWatch = ProgressWatch<ArchiveProgress>;

/** Watches work on a database until its lease leaves this state. */
export function watchWork(deps: Deps, hold: JobHold, { id, connectorId, state }: LeaseRow): WorkWatch {
  return watchProgress<ArchiveProgress>(hold, {
    first: { phase: "waiting" },
    everyMs: tickMs,
    look: async () => ((await deps.store.read.leases.find(id))?.state === state ? undefined : "unwanted"),
    keep: (progress) => keepPayload(deps, hold, { ...hold.job.payload, progress }),
    stalled: {
      afterMs: stalledMs,
      reason: () => new ProviderError(connectorId, "timeout", "has made no progress for minutes"),
    },
  });
}

/** Whether the work was told to stop from outside: its failure is nobody's fault. */
export function wasStopped({ endedBy }: WorkWatch): boolean {
  const by = endedBy();
  return by === "hold" || by === "cancelled" || by === "unwanted";
}

/** What a job was at when it last told. */
export function progressOf(job: Pick<JobRow, "payload">): ArchiveProgress {
  const parsed = archiveProgressSchema.safeParse(job.payload?.progress);
  return parsed.success ? parsed.data : { phase: "waiting" };
}
