import type { TokenView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { listOptions, showList } from "../shell/listing.ts";
import { relativeTime } from "../shell/moments.ts";
import { note, printJson } from "../shell/output.ts";
import { tokenEnd } from "../shell/show-token.ts";
import { buildIdOf, idToEnd } from "../shell/values.ts";

/** Lists the tokens of one build, or ends one. */
export const command: Command = {
  usage: "build tokens <build-id> [--end <token-id>] [options]",
  summary: "List the tokens that read one build's env, newest first, or end one. Never the token itself.",
  notes: ["A token that you end stops working at once. The build and its keys keep working."],
  options: {
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    end: { type: "text", value: "token-id", help: "end this token of the build" },
    ...listOptions,
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan build tokens bld_3k9v0a5m2c7d8e4f6g1h --all --json",
    "keyloan build tokens bld_3k9v0a5m2c7d8e4f6g1h --end tok_3k9v0a5m2c7d8e4f6g1h",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const buildId = buildIdOf(args);
    const id = idToEnd(args, "tok");
    const { builds } = connect();
    if (id !== undefined) {
      await builds.revokeToken(buildId, id);
      if (json) printJson(io, { id, revoked: true });
      else note(io, `The token ${id} is revoked.`);
      return 0;
    }
    const now = io.now();
    return showList<TokenView>(invocation, {
      member: "tokens",
      page: async (query) => {
        const page = await builds.listTokens(buildId, query);
        return { entries: page.tokens, nextCursor: page.nextCursor };
      },
      empty: "The build has no tokens. Make one with: keyloan build token <build id>",
      columns: [
        { title: "ID", value: (token) => token.id },
        { title: "CREATED", value: (token) => relativeTime(token.createdAt, now) },
        { title: "ENDS", value: (token) => tokenEnd(token, now) },
        { title: "USED", value: (token) => relativeTime(token.lastUsedAt, now) },
      ],
    });
  },
};
