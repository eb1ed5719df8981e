import type { RewrapResult } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { type Command, CommandError } from "../shell/command.ts";
import { printJson, say } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";

/** Has the broker wrap every data key under its current root key. */
export const command: Command = {
  usage: "root-key rotate",
  summary: "Rewrap every data key under the broker's current root key. Stored values are not touched.",
  notes: [
    "Run it after you restarted every broker with a new root key in front of the old one. Builds can be read and made meanwhile. If it is interrupted, run it again: it continues where it stopped.",
  ],
  examples: ["keyloan root-key rotate", "keyloan root-key status"],
  run: async ({ io, json, connect }) => {
    const client = connect();
    const result = await withProgress(io, json, "Rewrapping data keys", (show) => rewrapAll(client, show));
    const { rewrapped, dataKeys, left, currentKeyId } = result;
    if (json) printJson(io, result);
    else say(io, `${rewrapped} of ${dataKeys} data keys were rewrapped under ${currentKeyId}.`);
    if (left > 0) {
      throw new CommandError(
        "not_finished",
        `${left} data keys are still wrapped by another root key.`,
        "See which one with keyloan root-key status; keep that key in the configuration, and run this again.",
      );
    }
    if (!json) io.out("None are left: you can remove the old root key from the broker's configuration.\n");
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
