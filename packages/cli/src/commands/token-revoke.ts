import type { Command } from "../shell/command.ts";
import { note, printJson } from "../shell/output.ts";

/** Ends a token. */
export const command: Command = {
  usage: "token revoke <token-id> [--leaked]",
  summary: "End a token. It stops working at once.",
  notes: [
    "Without --leaked the links that it made keep working until they expire: users who have one need no other.",
  ],
  options: {
    leaked: {
      type: "flag",
      help: "also end the links that it made, and visits of their builds that have not proven who they are",
    },
  },
  positionals: ["token id"],
  examples: [
    "keyloan token revoke tok_3k9v0a5m2c7d8e4f6g1h",
    "keyloan token revoke tok_3k9v0a5m2c7d8e4f6g1h --leaked",
  ],
  run: async ({ args, io, json, connect }) => {
    const id = args.positionals[0] ?? "";
    const leaked = args.flag("leaked");
    await connect().tokens.revoke(id, leaked ? { leaked } : {});
    if (json) printJson(io, { id, revoked: true });
    else note(io, `The token ${id} is revoked${leaked ? ", and the links that it made have ended" : ""}.`);
    return 0;
  },
};
