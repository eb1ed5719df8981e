import type { Command } from "../cli/command.ts";
import { printJson } from "../cli/output.ts";
import { jobIdOf, showJob } from "../cli/show-job.ts";

/** Shows one job. */
export const command: Command = {
  usage: "jobs show <job-id>",
  summary: "Show a job: attempts, next run, what failed, and what a person must do by when.",
  positionals: ["job id"],
  examples: ["keyloan jobs show job_3k9v0a5m2c7d8e4f6g1h"],
  run: async ({ args, io, json, connect }) => {
    const job = await connect().jobs.get(jobIdOf(args));
    if (json) printJson(io, job);
    else showJob(io, job);
    return 0;
  },
};
