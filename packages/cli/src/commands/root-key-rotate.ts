import type { RewrapResult } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { type Command, CommandError } from "../shell/command.ts";
import { printJson } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { printable } from "../shell/terminal-text.ts";

/** Has the broker wrap every data key under its current root key. */
export const command: Command = {
  usage: "root-key rotate",
  summary: "Wrap every data key under the broker's current root key. No stored value is touched.",
  notes: [
    "Run it after every broker was started with a new root key in front of the old one. Builds are read and made meanwhile. When it is cut short, run it again: it goes on where it was.",
  ],
  examples: ["keyloan root-key rotate", "keyloan root-key status"],
  run: async ({ io, json, connect }) => {
    const client = connect();
    const result = await withProgress(io, json, "Wrapping data keys anew", (show) => rewrapAll(client, show));
    const { rewrapped, dataKeys, left, currentKeyId } = result;
    if (json) printJson(io, result);
    else
      io.out(`${rewrapped} of ${dataKeys} data keys were wrapped anew under ${printable(currentKeyId)}.\n`);
    if (left > 0) {
      throw new CommandError(
        "not_finished",
        `${left} data keys are still wrapped by another root key.`,
        "See which with keyloan root-key status; keep that key in the configuration, and run this again.",
      );
    }
    if (!json) io.out("None is left: the old root key can be removed from the broker's configuration.\n");
    return 0;
  },
};

/** Calls until none is left, or a call makes no headway. */
async function rewrapAll(client: Client, show: (text: string) => void): Promise<RewrapResult> {
  let rewrapped = 0;
  for (;;) {
    const step = await client.rootKey.rewrap();
    rewrapped += step.rewrapped;
    if (step.left === 0 || step.rewrapped === 0) return { ...step, rewrapped };
    show(`${step.left} of ${step.dataKeys} left`);
  }
}
