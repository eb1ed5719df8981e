import type { Deps } from "./deps.ts";
import type { JobRunner } from "./jobs/runner.ts";

/** The deps and the runner of jobs that is made of them. */
export type Services = Deps & { readonly runner: JobRunner };
