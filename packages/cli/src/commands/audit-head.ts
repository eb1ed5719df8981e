import type { Command } from "../shell/command.ts";
import { printJson, say } from "../shell/output.ts";

/** Prints the signed end of the audit chain. */
export const command: Command = {
  usage: "audit head [options]",
  summary: "Print the end of the audit chain, signed by the broker.",
  notes: [
    "Keep it out of reach of anyone who can write to the broker's store, for instance in a commit or a ticket. With it keyloan audit verify also finds out when the newest rows were removed together with every head in the store.",
  ],
  examples: ["keyloan audit head > audit-head.txt", "keyloan audit head --json"],
  run: async ({ io, json, connect }) => {
    const head = await connect().audit.head();
    if (json) printJson(io, head);
    else say(io, head.signed);
    return 0;
  },
};
