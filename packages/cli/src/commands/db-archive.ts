import type { Command } from "../shell/command.ts";
import { databaseOf, followDatabase, showDatabases } from "../shell/show-databases.ts";

/** Puts a database away. */
export const command: Command = {
  usage: "db archive <build-id> [connector] [options]",
  summary: "Put a database away: sealed, proven, and only then ended at its provider.",
  notes: [
    "It takes no writes meanwhile. What was stored is read back and compared row by row before the database is ended; when that fails, the database stays as it is.",
    "Until it is restored the build's env cannot be read.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    "no-wait": { type: "flag", help: "do not follow it to its end" },
  },
  positionals: ["[build id]", "[connector]"],
  examples: [
    "keyloan db archive bld_3k9v0a5m2c7d8e4f6g1h",
    "keyloan db archive bld_3k9v0a5m2c7d8e4f6g1h turso --no-wait",
  ],
  run: async (invocation) => {
    const client = invocation.connect();
    const target = await databaseOf(invocation, client);
    const list = await client.databases.archive(target.buildId, target.connector);
    if (!invocation.args.flag("no-wait"))
      return followDatabase(invocation, client, { ...target, wanted: "archived" }, list);
    showDatabases(invocation.io, invocation.json, list);
    return 0;
  },
};
