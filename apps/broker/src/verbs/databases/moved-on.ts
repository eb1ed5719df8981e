import type { Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { holdMs } from "../../jobs/new-job.ts";
import type { JobHold } from "../../jobs/runner.ts";

/** The lease, its build or the job is not as it was: whoever changed it goes on. */
export class MovedOn extends Error {
  override readonly name = "MovedOn";
}

export function movedOn(): MovedOn {
  return new MovedOn("the lease or its job has moved on");
}

/** Keeps the job in the caller's transaction. @throws MovedOn when another worker holds it */
export async function keepHold({ now }: Deps, { job }: JobHold, tables: Tables): Promise<void> {
  if (!(await tables.jobs.extend(job.id, job.fence, now() + holdMs))) throw movedOn();
}
