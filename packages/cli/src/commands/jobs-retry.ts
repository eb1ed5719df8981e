import type { Command } from "../shell/command.ts";
import { printJson } from "../shell/output.ts";
import { jobIdOf, showJob } from "../shell/show-job.ts";

/** Starts a job anew. */
export const command: Command = {
  usage: "jobs retry <job-id>",
  summary: "Restart a job that failed, requires manual action, or was cancelled.",
  notes: ["Use it once the cause is fixed. The job runs within seconds and has all its attempts again."],
  positionals: ["job id"],
  examples: ["keyloan jobs retry job_3k9v0a5m2c7d8e4f6g1h"],
  run: async ({ args, io, json, connect }) => {
    const job = await connect().jobs.retry(jobIdOf(args));
    if (json) printJson(io, job);
    else showJob(io, job);
    return 0;
  },
};
