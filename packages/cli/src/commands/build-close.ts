import type { Command } from "../shell/command.ts";
import { note, printJson } from "../shell/output.ts";
import { showBuild } from "../shell/show-build.ts";
import { buildIdOf } from "../shell/values.ts";

/** Ends a build. */
export const command: Command = {
  usage: "build close <build-id>",
  summary: "End a build: revoke its keys, remove its resources, destroy its values.",
  notes: ["This cannot be undone. Closing a build that is already closed changes nothing and succeeds."],
  options: { build: { type: "text", value: "id", help: "the build, instead of the argument" } },
  positionals: ["[build id]"],
  examples: ["keyloan build close bld_3k9v0a5m2c7d8e4f6g1h"],
  run: async ({ args, io, json, connect }) => {
    const build = await connect().builds.close(buildIdOf(args));
    if (json) printJson(io, build);
    else showBuild(io, build);
    if (!json && build.state !== "closed")
      note(io, "\nIts keys are still being revoked; nobody can read its env any more.");
    return 0;
  },
};
