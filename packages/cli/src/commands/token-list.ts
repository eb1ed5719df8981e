import type { TokenView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { listOptions, showList } from "../shell/listing.ts";
import { relativeTime } from "../shell/moments.ts";
import { tokenEnd } from "../shell/show-token.ts";

/** Lists tokens, never the tokens themselves. */
export const command: Command = {
  usage: "token list [options]",
  summary: "List tokens: name, scopes and last use. Never the token itself.",
  options: listOptions,
  examples: ["keyloan token list", "keyloan token list --all --json"],
  run: async (invocation) => {
    const { tokens } = invocation.connect();
    const now = invocation.io.now();
    return showList<TokenView>(invocation, {
      member: "tokens",
      page: async (query) => {
        const { tokens: entries, nextCursor } = await tokens.list(query);
        return { entries, nextCursor };
      },
      empty: "There are no tokens.",
      columns: [
        { title: "ID", value: (token) => token.id },
        { title: "KIND", value: (token) => token.kind },
        { title: "NAME", value: (token) => token.name, shrinks: true },
        { title: "SCOPES", value: (token) => token.scopes.join(" ") || "-", shrinks: true },
        { title: "ENDS", value: (token) => tokenEnd(token, now) },
        { title: "USED", value: (token) => relativeTime(token.lastUsedAt, now) },
      ],
    });
  },
};
