import type { Command } from "../shell/command.ts";
import { note, printJson, warn } from "../shell/output.ts";
import { jobIdOf, showJob } from "../shell/show-job.ts";

/** Ends a job that nobody wants any more. */
export const command: Command = {
  usage: "jobs cancel <job-id> [--confirm <name>]",
  summary: "End a job that nobody wants any more.",
  notes: [
    "An issue is ended with its lease: the build goes on without that connector. A release could leave something alive at the provider, so it is cancelled only when you say by its name that you have removed the resource by hand; the provider is asked whether that is so.",
  ],
  options: {
    confirm: { type: "text", value: "name", help: "for a release: the resource that you have removed" },
  },
  positionals: ["job id"],
  examples: [
    "keyloan jobs cancel job_3k9v0a5m2c7d8e4f6g1h",
    "keyloan jobs cancel job_3k9v0a5m2c7d8e4f6g1h --confirm kl-5m2c7d8e4f6g1h3k9v0a",
  ],
  run: async ({ args, io, json, connect }) => {
    const confirm = args.text("confirm");
    const { jobs } = connect();
    const cancelled = await jobs.cancel(jobIdOf(args), confirm === undefined ? {} : { confirm });
    if (json) {
      printJson(io, cancelled);
      return 0;
    }
    const { job, lacks, verified } = cancelled;
    showJob(io, job);
    if (lacks !== undefined) {
      note(io, `\nThe build goes on without ${lacks.connector}: it lacks ${lacks.variables.join(", ")}.`);
    }
    if (verified === true) note(io, "\nThe provider says that it is gone.");
    if (verified === false) warn(io, "the provider could not be asked whether it is gone.");
    return 0;
  },
};
