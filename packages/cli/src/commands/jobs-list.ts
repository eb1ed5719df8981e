import type { JobView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { listOptions, showList } from "../shell/listing.ts";
import { relativeTime } from "../shell/moments.ts";

/** Lists the work that outlives requests. */
export const command: Command = {
  usage: "jobs list [options]",
  summary: "List the broker's jobs, newest first, and which of them require manual action.",
  options: {
    state: { type: "text", value: "state", help: "waiting, requires_action, failed, cancelled or done" },
    kind: { type: "text", value: "kind", help: "only this kind, such as issue or release" },
    build: { type: "text", value: "id", help: "only of this build" },
    connector: { type: "text", value: "id", help: "only of this connector" },
    ...listOptions,
  },
  examples: [
    "keyloan jobs list --state requires_action",
    "keyloan jobs list --build bld_3k9v0a5m2c7d8e4f6g1h --all --json",
  ],
  run: async (invocation) => {
    const { args, connect, io } = invocation;
    const { jobs } = connect();
    const filter = {
      state: args.text("state"),
      kind: args.text("kind"),
      buildId: args.text("build"),
      connector: args.text("connector"),
    };
    const now = io.now();
    return showList<JobView>(invocation, {
      member: "jobs",
      page: async (query) => {
        const { jobs: entries, nextCursor } = await jobs.list({ ...query, ...filter });
        return { entries, nextCursor };
      },
      empty: "There are no such jobs.",
      columns: [
        { title: "ID", value: (job) => job.id },
        { title: "KIND", value: (job) => job.kind },
        { title: "STATE", value: (job) => job.state, isState: true },
        { title: "CONNECTOR", value: (job) => job.connector ?? "-" },
        { title: "RUNS", value: (job) => String(job.attempts) },
        { title: "NEXT", value: (job) => relativeTime(job.nextRunAt, now) },
        { title: "DUE", value: (job) => relativeTime(job.requiredAction?.dueAt, now) },
        { title: "ERROR", value: (job) => job.lastError?.code ?? "-", shrinks: true },
      ],
    });
  },
};
