import type { Command } from "../shell/command.ts";
import { note, printJson } from "../shell/output.ts";

/** Ends a token. */
export const command: Command = {
  usage: "token revoke <token-id>",
  summary: "End a token. It stops working at once.",
  positionals: ["token id"],
  examples: ["keyloan token revoke tok_3k9v0a5m2c7d8e4f6g1h"],
  run: async ({ args, io, json, connect }) => {
    const id = args.positionals[0] ?? "";
    await connect().tokens.revoke(id);
    if (json) printJson(io, { id, revoked: true });
    else note(io, `The token ${id} is revoked.`);
    return 0;
  },
};
