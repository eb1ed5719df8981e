import type { Command } from "../shell/command.ts";
import { followTransfers, showTransfers } from "../shell/show-transfers.ts";
import { buildIdOf } from "../shell/values.ts";

/** Shows how far a build's transfers are. */
export const command: Command = {
  usage: "transfer show <build-id> [--follow]",
  summary: "Show what a build has that can be moved, and the progress.",
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    follow: { type: "flag", help: "keep showing the progress until nothing is being moved" },
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan transfer show bld_3k9v0a5m2c7d8e4f6g1h",
    "keyloan transfer show bld_3k9v0a5m2c7d8e4f6g1h --follow",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const buildId = buildIdOf(args);
    const client = connect();
    const list = await client.transfers.list(buildId);
    if (args.flag("follow")) return followTransfers(invocation, client, buildId, list);
    showTransfers(io, json, list);
    return 0;
  },
};
