import type { Command } from "../shell/command.ts";
import { printJson } from "../shell/output.ts";
import { showBuild } from "../shell/show-build.ts";
import { buildIdOf } from "../shell/values.ts";

/** Shows one build and its leases, never a value. */
export const command: Command = {
  usage: "build show <build-id>",
  summary: "Show one build and its leases: connector, state, grade, expiry. Never a value.",
  options: { build: { type: "text", value: "id", help: "the build, instead of the argument" } },
  positionals: ["[build id]"],
  examples: [
    "keyloan build show bld_3k9v0a5m2c7d8e4f6g1h",
    "keyloan build show bld_3k9v0a5m2c7d8e4f6g1h --json",
  ],
  run: async ({ args, io, json, connect }) => {
    const build = await connect().builds.get(buildIdOf(args));
    if (json) printJson(io, build);
    else showBuild(io, build);
    return 0;
  },
};
