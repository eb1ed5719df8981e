import type { OrgKeyView } from "@keyloan/contract";
import type { Command } from "../shell/command.ts";
import { relativeTime } from "../shell/moments.ts";
import { note, printJson } from "../shell/output.ts";
import { printTable } from "../shell/table.ts";
import { wrap } from "../shell/terminal-text.ts";

/** Lists the org's keys, never their values. */
export const command: Command = {
  usage: "org-keys list",
  summary: "List the org's keys: version, state and last check. It never shows values.",
  examples: ["keyloan org-keys list", "keyloan org-keys list --json"],
  run: async ({ io, json, connect }) => {
    const list = await connect().orgKeys.list();
    const now = io.now();
    if (json) printJson(io, list);
    else if (list.orgKeys.length === 0) {
      note(io, "There are no org keys. See what is needed with: keyloan catalog");
    } else {
      printTable<OrgKeyView>(
        io,
        [
          { title: "CONNECTOR", value: (key) => key.connector },
          { title: "VERSION", value: (key) => String(key.version) },
          { title: "STATE", value: (key) => key.state, isState: true },
          { title: "CHECK", value: (key) => key.checkStatus, isState: true },
          { title: "CHECKED", value: (key) => relativeTime(key.checkedAt, now) },
          { title: "AGE", value: (key) => `${key.ageDays}d` },
          { title: "LEASES", value: leasesText },
          { title: "ACCOUNT", value: (key) => key.account ?? "-", shrinks: true },
        ],
        list.orgKeys,
      );
      for (const key of list.orgKeys) io.out(todoText(key));
    }
    return 0;
  },
};

/** Those that stay with a version that was replaced stand behind the whole number. */
const leasesText = ({ leasesInUse, flagged }: OrgKeyView) =>
  flagged === 0 ? String(leasesInUse) : `${leasesInUse} (${flagged} flagged)`;

/** What a person has to do about a version, and why leases stay with it. */
function todoText({ connector, version, todo, flags }: OrgKeyView): string {
  const reasons = flags.map(({ leases, message, remedy }) => `${leases} × ${message}. ${remedy}`);
  const lines = [...(todo === undefined ? [] : [todo]), ...reasons];
  if (lines.length === 0) return "";
  return `\n${wrap(`${connector} version ${version}: ${lines.join(" ")}`, 78, "  ")}\n`;
}
