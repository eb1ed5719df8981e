import type { Command } from "../cli/command.ts";
import { printJson } from "../cli/output.ts";
import { printable } from "../cli/terminal-text.ts";

/** Has the broker wrap every data key under its current root key. */
export const command: Command = {
  usage: "root-key rotate",
  summary: "Wrap every data key under the broker's current root key. No stored value is touched.",
  notes: ["Run it after the broker was started with a new root key in front of the old one."],
  examples: ["keyloan root-key rotate"],
  run: async ({ io, json, connect }) => {
    const result = await connect().rootKey.rewrap();
    if (json) printJson(io, result);
    else {
      const { rewrapped, dataKeys, currentKeyId } = result;
      io.out(
        `${rewrapped} of ${dataKeys} data keys were wrapped anew; all are under ${printable(currentKeyId)} now.\n`,
      );
      io.out("The old root key can be removed from the broker's configuration.\n");
    }
    return 0;
  },
};
