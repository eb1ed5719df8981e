import type { Command } from "../shell/command.ts";
import { connectorsOf, followTransfers, showTransfers, transferOptions } from "../shell/show-transfers.ts";
import { buildIdOf } from "../shell/values.ts";

/** Moves a build's data into the user's own accounts. */
export const command: Command = {
  usage: "transfer start <build-id> [options]",
  summary: "Move what an app stored with lent keys into its user's own accounts.",
  notes: [
    "The user's keys must be saved and must work. From then on a lent database takes no writes, until the app is switched to its copy, or the move is cancelled or given up after 30 minutes.",
    "Every row and every file is read again at both ends before the copy is accepted.",
    "Once the app's user has saved keys, they decide: they can do this on the settings page, or allow it there for tokens. No token can replace what is in their account.",
  ],
  options: {
    ...transferOptions,
    "no-wait": { type: "flag", help: "do not wait until it is done" },
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan transfer start bld_3k9v0a5m2c7d8e4f6g1h",
    "keyloan transfer start bld_3k9v0a5m2c7d8e4f6g1h --connector turso --no-wait",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const buildId = buildIdOf(args);
    const client = connect();
    const list = await client.transfers.start(buildId, connectorsOf(invocation));
    if (!args.flag("no-wait")) return followTransfers(invocation, client, buildId, list);
    showTransfers(io, json, list);
    return 0;
  },
};
