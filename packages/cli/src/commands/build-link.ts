import type { Command } from "../shell/command.ts";
import { momentText, relativeTime } from "../shell/moments.ts";
import { note, printJson, say, warn } from "../shell/output.ts";
import { buildIdOf, secondsOf } from "../shell/values.ts";

/** Makes a link to the settings page of one build. */
export const command: Command = {
  usage: "build link <build-id> [--ttl <duration>] [--user <id>]",
  summary: "Make a link where the user adds their own keys.",
  notes: [
    "Only the link is printed to stdout. It opens once; making another one ends it.",
    "Send it to the user alone: the first person to open it gets the page.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    ttl: { type: "text", value: "duration", help: "how long it can wait to be opened; default 3d" },
    user: { type: "text", value: "id", help: "your user's id, if the broker knows your app's sign-in" },
  },
  positionals: ["[build id]"],
  examples: ["keyloan build link bld_3k9v0a5m2c7d8e4f6g1h --ttl 7d"],
  run: async ({ args, io, json, connect }) => {
    const ttlSeconds = secondsOf(args, "ttl");
    const userRef = args.text("user");
    const handoff = await connect().builds.createHandoff(buildIdOf(args), {
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(userRef === undefined ? {} : { userRef }),
    });
    if (json) {
      printJson(io, handoff);
      return 0;
    }
    say(io, handoff.url);
    const { expiresAt } = handoff;
    note(io, `It opens once, until ${momentText(expiresAt)} (${relativeTime(expiresAt, io.now())}).`);
    if (handoff.personOnly === true) {
      warn(
        io,
        "The handoff is finished: this link lets in only the person who saved the keys, in a browser that knows them. Anywhere else they need their recovery code.",
      );
    }
    return 0;
  },
};
