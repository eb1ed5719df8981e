import type { Command } from "../shell/command.ts";
import { connectorsOf, followTransfers, transferOptions } from "../shell/show-transfers.ts";
import { buildIdOf } from "../shell/values.ts";

/** Ends transfers and undoes what they began. */
export const command: Command = {
  usage: "transfer cancel <build-id> [--connector <id>]",
  summary: "Stop moving data: the app can write again, and the half-finished copy is removed.",
  notes: ["Files that were copied stay, so that resuming copies only the rest."],
  options: transferOptions,
  positionals: ["[build id]"],
  examples: ["keyloan transfer cancel bld_3k9v0a5m2c7d8e4f6g1h"],
  run: async (invocation) => {
    const buildId = buildIdOf(invocation.args);
    const client = invocation.connect();
    const list = await client.transfers.cancel(buildId, connectorsOf(invocation));
    return followTransfers(invocation, client, buildId, list);
  },
};
