import type { Command } from "../shell/command.ts";
import { note } from "../shell/output.ts";
import { databaseOf, followDatabase, showDatabases } from "../shell/show-databases.ts";

/** Brings an archived database back. */
export const command: Command = {
  usage: "db restore <build-id> [connector] [options]",
  summary: "Restore an archived database as a new one with a new token.",
  notes: ["Afterwards the build's env has the new values: start the app again with keyloan run."],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    "no-wait": { type: "flag", help: "do not wait until it is done" },
  },
  positionals: ["[build id]", "[connector]"],
  examples: [
    "keyloan db restore bld_3k9v0a5m2c7d8e4f6g1h",
    "keyloan db restore bld_3k9v0a5m2c7d8e4f6g1h turso",
  ],
  run: async (invocation) => {
    const { args, io, json } = invocation;
    const client = invocation.connect();
    const target = await databaseOf(invocation, client);
    const list = await client.databases.restore(target.buildId, target.connector);
    if (args.flag("no-wait")) {
      showDatabases(io, json, list);
      return 0;
    }
    const code = await followDatabase(invocation, client, { ...target, wanted: "active" }, list);
    if (!json) note(io, "The env has new values: start the app again.");
    return code;
  },
};
