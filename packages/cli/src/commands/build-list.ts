import type { BuildView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { listOptions, showList } from "../shell/listing.ts";
import { relativeTime } from "../shell/moments.ts";

/** Lists builds, newest first. */
export const command: Command = {
  usage: "build list [options]",
  summary: "List builds, newest first.",
  options: {
    state: {
      type: "text",
      value: "state",
      help: "only builds in this state: provisioning, ready, handing_off, handed_off, closing, closed",
    },
    ...listOptions,
  },
  examples: ["keyloan build list", "keyloan build list --state ready --all --json"],
  run: async (invocation) => {
    const { args, io, connect } = invocation;
    const { builds } = connect();
    const state = args.text("state");
    const now = io.now();
    return showList<BuildView>(invocation, {
      member: "builds",
      page: async (query) => {
        const { builds: entries, nextCursor } = await builds.list({ ...query, state });
        return { entries, nextCursor };
      },
      empty: "There are no builds. Make one with: keyloan build create --name <name>",
      columns: [
        { title: "ID", value: (build) => build.id },
        { title: "NAME", value: (build) => build.name, shrinks: true },
        { title: "STATE", value: (build) => build.state, isState: true },
        { title: "EXPIRES", value: (build) => (build.closedAt ? "-" : relativeTime(build.expiresAt, now)) },
        {
          title: "CONNECTORS",
          value: (build) => build.leases.map((lease) => lease.connector).join(" "),
          shrinks: true,
        },
      ],
    });
  },
};
