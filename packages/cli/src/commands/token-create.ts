import type { CreateApiTokenBody } from "@keyloan/contract";
import { type Command, UsageError } from "../shell/command.ts";
import { showNewToken } from "../shell/show-token.ts";
import { secondsOf } from "../shell/values.ts";

type Scope = CreateApiTokenBody["scopes"][number];
const scopes: Readonly<Record<Scope, true>> = {
  "builds:read": true,
  "builds:write": true,
  "tokens:write": true,
};

/** Makes an API token for a platform. */
export const command: Command = {
  usage: "token create --name <name> --scope <scope>… [--ttl <duration>]",
  summary: "Make an API token for a platform's backend.",
  notes: ["Only the token is printed to stdout, and it is shown only once."],
  options: {
    name: { type: "text", value: "name", help: "who will use it (required)" },
    scope: {
      type: "text",
      value: "scope",
      multiple: true,
      help: "builds:read, builds:write or tokens:write; may be repeated (required)",
    },
    ttl: { type: "text", value: "duration", help: "how long it works, such as 90d; default: no end" },
  },
  examples: ["keyloan token create --name app-builder --scope builds:read --scope builds:write --ttl 90d"],
  run: async ({ args, io, json, connect }) => {
    const name = args.text("name");
    if (name === undefined) throw new UsageError("The token needs a --name.");
    const wanted = args.texts("scope").flatMap((text) => text.split(","));
    if (wanted.length === 0)
      throw new UsageError(`The token needs a --scope: ${Object.keys(scopes).join(", ")}.`);
    if (!wanted.every(isScope)) throw new UsageError(`--scope is one of ${Object.keys(scopes).join(", ")}.`);
    const ttlSeconds = secondsOf(args, "ttl");
    const issued = await connect().tokens.create({
      name,
      scopes: wanted,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    });
    showNewToken(io, json, issued);
    return 0;
  },
};

function isScope(text: string): text is Scope {
  return Object.hasOwn(scopes, text);
}
