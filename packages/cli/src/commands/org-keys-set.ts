import type { Command } from "../shell/command.ts";
import { orgKeyFieldOptions, orgKeyFieldsNote, readOrgKey } from "../shell/org-key-fields.ts";
import { printJson } from "../shell/output.ts";
import { showOrgKey } from "../shell/show-org-key.ts";

/** Puts the org's key for a connector; the broker checks it at the provider first. */
export const command: Command = {
  usage: "org-keys set <connector> [-] [options]",
  summary: "Set the org's key for a connector. The broker checks it at the provider, then seals it.",
  notes: [orgKeyFieldsNote],
  options: orgKeyFieldOptions,
  positionals: ["connector", "[-]"],
  examples: [
    "keyloan org-keys set turso",
    "keyloan org-keys set turso - < turso-fields.json",
    "keyloan org-keys set turso --field organization=acme",
  ],
  run: async (invocation) => {
    const { io, json, connect } = invocation;
    const client = connect();
    const { connector, fields } = await readOrgKey(invocation, client);
    const key = await client.orgKeys.put(connector.id, fields);
    if (json) printJson(io, key);
    else showOrgKey(io, key);
    return 0;
  },
};
