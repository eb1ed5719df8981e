import type { Command } from "../shell/command.ts";
import { counted } from "../shell/counted.ts";
import { keptHeadOf, keptHeadOptions } from "../shell/kept-head.ts";
import { printJson, say } from "../shell/output.ts";

/** Goes on from a store that is not what was signed. */
export const command: Command = {
  usage: "audit accept-head [options]",
  summary: "Continue from the store as it is, although something outside it has newer records.",
  notes: [
    "Use it when you restored the store from a backup on purpose. Until then nothing new is handed out. What is lost stays lost: the loss is written to the audit, and every later keyloan audit verify reports the gap. Look at keyloan audit verify first.",
  ],
  options: keptHeadOptions,
  examples: ["keyloan audit accept-head", "keyloan audit accept-head --head-file audit-head.txt"],
  run: async ({ args, io, json, connect }) => {
    const accepted = await connect().audit.acceptHead(keptHeadOf(args));
    if (json) {
      printJson(io, accepted);
      return 0;
    }
    const { problem, lostHeads, removedKeys, missingRows, missingRowCount, head } = accepted;
    say(io, `Accepted: ${problem.message}.`);
    say(io, `${counted(lostHeads, "signed head")} given up; the audit continues from row ${head.sequence}.`);
    if (missingRowCount > 0)
      say(io, `${counted(missingRowCount, "missing row")} given up: ${missingRows.join(", ")}.`);
    for (const key of removedKeys) say(io, `The signing key ${key} was removed.`);
    return 0;
  },
};
