import type { Command } from "../shell/command.ts";
import { note, printJson, warn } from "../shell/output.ts";
import { jobIdOf, showJob } from "../shell/show-job.ts";

/** Ends a job that nobody wants any more. */
export const command: Command = {
  usage: "jobs cancel <job-id> [--confirm <name>]",
  summary: "End a job that is no longer wanted.",
  notes: [
    "An issue job ends with its lease: the build continues without that connector. A release job could leave something alive at the provider, so it is cancelled only when you confirm the resource's name, after you removed it by hand; the broker asks the provider whether it is gone.",
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
      note(io, `\nThe build continues without ${lacks.connector}: it lacks ${lacks.variables.join(", ")}.`);
    }
    if (verified === true) note(io, "\nThe provider confirms that it is gone.");
    if (verified === false) warn(io, "the provider could not be asked whether it is gone.");
    return 0;
  },
};
