import type { Command } from "../shell/command.ts";
import { printJson } from "../shell/output.ts";
import { jobIdOf, showJob } from "../shell/show-job.ts";

/** Shows one job. */
export const command: Command = {
  usage: "jobs show <job-id>",
  summary: "Show a job: attempts, next run, what failed, and what a person must do and by when.",
  positionals: ["job id"],
  examples: ["keyloan jobs show job_3k9v0a5m2c7d8e4f6g1h"],
  run: async ({ args, io, json, connect }) => {
    const job = await connect().jobs.get(jobIdOf(args));
    if (json) printJson(io, job);
    else showJob(io, job);
    return 0;
  },
};
