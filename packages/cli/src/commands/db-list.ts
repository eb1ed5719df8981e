import type { Command } from "../shell/command.ts";
import { showDatabases } from "../shell/show-databases.ts";
import { buildIdOf } from "../shell/values.ts";

/** Shows the databases of a build and their archives. */
export const command: Command = {
  usage: "db list <build-id>",
  summary: "Show a build's databases, since when they have been idle, and their archives.",
  options: { build: { type: "text", value: "id", help: "the build, instead of the argument" } },
  positionals: ["[build id]"],
  examples: ["keyloan db list bld_3k9v0a5m2c7d8e4f6g1h", "keyloan db list bld_3k9v0a5m2c7d8e4f6g1h --json"],
  run: async ({ args, io, json, connect }) => {
    showDatabases(io, json, await connect().databases.list(buildIdOf(args)));
    return 0;
  },
};
