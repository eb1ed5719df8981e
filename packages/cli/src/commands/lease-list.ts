import type { ListedLease } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { listOptions, showList } from "../shell/listing.ts";
import { relativeTime } from "../shell/moments.ts";
import { buildIdOf } from "../shell/values.ts";

/** Lists leases, newest first. */
export const command: Command = {
  usage: "lease list [options]",
  summary: "List what is and was lent, newest first. It never shows values.",
  options: {
    state: {
      type: "text",
      value: "state",
      help: "only leases in this state: planned, active, releasing, released, archived, requires_action",
    },
    connector: { type: "text", value: "id", help: "only leases of this connector" },
    build: { type: "text", value: "id", help: "only leases of this build" },
    ...listOptions,
  },
  examples: [
    "keyloan lease list --state releasing",
    "keyloan lease list --connector turso --state active --all --json",
  ],
  run: async (invocation) => {
    const { args, io, connect } = invocation;
    const { leases } = connect();
    const [state, connector] = [args.text("state"), args.text("connector")];
    const buildId = args.text("build") === undefined ? undefined : buildIdOf(args);
    const now = io.now();
    return showList<ListedLease>(invocation, {
      member: "leases",
      page: async (query) => {
        const page = await leases.list({ ...query, state, connector, buildId });
        return { entries: page.leases, nextCursor: page.nextCursor };
      },
      empty: "There are no such leases.",
      columns: [
        { title: "ID", value: (lease) => lease.id },
        { title: "CONNECTOR", value: (lease) => lease.connector },
        { title: "STATE", value: (lease) => lease.state, isState: true },
        {
          title: "EXPIRES",
          value: (lease) => (lease.state === "released" ? "-" : relativeTime(lease.expiresAt, now)),
        },
        { title: "BUILD", value: (lease) => lease.buildId },
        { title: "RESOURCE", value: (lease) => Object.values(lease.resource).join(" "), shrinks: true },
      ],
    });
  },
};
