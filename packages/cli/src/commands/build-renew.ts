import type { Command } from "../shell/command.ts";
import { printJson } from "../shell/output.ts";
import { showBuild } from "../shell/show-build.ts";
import { buildIdOf, secondsOf } from "../shell/values.ts";

/** Gives a build more time. */
export const command: Command = {
  usage: "build renew <build-id> [--ttl <duration>]",
  summary: "Give a build more time, and new keys in place of those that would end.",
  notes: ["Keys that end with the old time are replaced: start the app again with keyloan run."],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    ttl: { type: "text", value: "duration", help: "from now: 90m, 24h, 7d; default 24h" },
  },
  positionals: ["[build id]"],
  examples: ["keyloan build renew bld_3k9v0a5m2c7d8e4f6g1h --ttl 24h"],
  run: async ({ args, io, json, connect }) => {
    const ttlSeconds = secondsOf(args, "ttl");
    const body = ttlSeconds === undefined ? {} : { ttlSeconds };
    const build = await connect().builds.renew(buildIdOf(args), body);
    if (json) printJson(io, build);
    else showBuild(io, build);
    return 0;
  },
};
