import type { Command } from "../shell/command.ts";
import { databaseOf, followDatabase, showDatabases } from "../shell/show-databases.ts";

/** Puts a database away. */
export const command: Command = {
  usage: "db archive <build-id> [connector] [options]",
  summary: "Archive a database: it is sealed and proven, and only then ended at its provider.",
  notes: [
    "Meanwhile it takes no writes. The archive is read back and compared row by row before the database is ended; if that fails, the database stays as it is.",
    "The build's env cannot be read until the database is restored.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    "no-wait": { type: "flag", help: "do not wait until it is done" },
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
