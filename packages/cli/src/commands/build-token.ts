import type { Command } from "../shell/command.ts";
import { showNewToken } from "../shell/show-token.ts";
import { buildIdOf, secondsOf } from "../shell/values.ts";

/** Makes a token for one build. */
export const command: Command = {
  usage: "build token <build-id> [--ttl <duration>] [--single-use]",
  summary: "Make a token that reads one build's env and nothing else.",
  notes: ["Only the token is printed to stdout. Give it to the sandbox as KEYLOAN_TOKEN."],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    ttl: { type: "text", value: "duration", help: "how long it works, at most 1h; default 15m" },
    "single-use": { type: "flag", help: "the token can read the env once" },
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan build token bld_3k9v0a5m2c7d8e4f6g1h --ttl 10m --single-use",
    "KEYLOAN_TOKEN=$(keyloan build token bld_3k9v0a5m2c7d8e4f6g1h) ./start-sandbox",
  ],
  run: async ({ args, io, json, connect }) => {
    const ttlSeconds = secondsOf(args, "ttl");
    const issued = await connect().builds.createToken(buildIdOf(args), {
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(args.flag("single-use") ? { singleUse: true } : {}),
    });
    showNewToken(io, json, issued);
    return 0;
  },
};
