import type { JobRow } from "@keyloan/store";
import { byJob, type Unit } from "../change.ts";
import type { Deps } from "../deps.ts";
import type { JobHold } from "./define-job.ts";
import { holdMs } from "./new-job.ts";

/**
 * One step of a job that goes on after it, written only while this worker holds the job.
 * @returns what the unit gives; `undefined`, with nothing written, when another worker has the job now
 */
export function step<T>(
  deps: Pick<Deps, "change" | "now">,
  { job }: Pick<JobHold, "job">,
  unit: (tx: Unit) => Promise<T>,
): Promise<T | undefined> {
  return deps.change(byJob(job), [job.buildId ?? job.entityId], async (tx) =>
    (await tx.jobs.extend(job.id, job.fence, deps.now() + holdMs)) ? unit(tx) : undefined,
  );
}

/** Ends a job whose work somebody else has done. @returns false when it is not as it was any more */
export function endJob({ now }: Pick<Deps, "now">, tx: Unit, { id, fence }: JobRow): Promise<boolean> {
  return tx.jobs.finish(id, fence, "done", undefined, now());
}

/** Keeps what the job needs to go on after a crash. @returns false when another worker has it now */
export async function keepPayload(
  deps: Pick<Deps, "change" | "now">,
  hold: Pick<JobHold, "job">,
  payload: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const { id, fence } = hold.job;
  return (await step(deps, hold, (tx) => tx.jobs.setPayload(id, fence, payload))) === true;
}
