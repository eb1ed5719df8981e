import type { Command } from "../shell/command.ts";
import { note, printJson } from "../shell/output.ts";

/** Removes the org's key for a connector. */
export const command: Command = {
  usage: "org-keys remove <connector>",
  summary: "Remove the org's key for a connector. After that, no build can get that connector.",
  notes: [
    "The key keeps working at the provider: delete it there too. The broker keeps it sealed until no lease needs it and the provider refuses it.",
  ],
  positionals: ["connector"],
  examples: ["keyloan org-keys remove turso"],
  run: async ({ args, io, json, connect }) => {
    const connector = args.positionals[0] ?? "";
    await connect().orgKeys.remove(connector);
    if (json) printJson(io, { connector, removed: true });
    else {
      note(
        io,
        `The org key for ${connector} is no longer lent. Delete it at the provider too, then check whether`,
      );
      note(io, `it is dead with: keyloan org-keys retire ${connector}`);
    }
    return 0;
  },
};
