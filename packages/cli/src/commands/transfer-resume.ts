import type { Command } from "../shell/command.ts";
import { connectorsOf, followTransfers, transferOptions } from "../shell/show-transfers.ts";
import { buildIdOf } from "../shell/values.ts";

/** Goes on with transfers that ended early. */
export const command: Command = {
  usage: "transfer resume <build-id> [options]",
  summary: "Resume transfers that failed or were cancelled.",
  notes: [
    "A database is copied from the start; of files, only what is missing or changed.",
    "If the user allowed data to be replaced when the move began, that does not apply now: no token can replace it.",
  ],
  options: transferOptions,
  positionals: ["[build id]"],
  examples: ["keyloan transfer resume bld_3k9v0a5m2c7d8e4f6g1h"],
  run: async (invocation) => {
    const buildId = buildIdOf(invocation.args);
    const client = invocation.connect();
    const list = await client.transfers.resume(buildId, { ...connectorsOf(invocation), overwrite: false });
    return followTransfers(invocation, client, buildId, list);
  },
};
