import type { OrgKeyView } from "@keyloan/contract";
import type { Client } from "@keyloan/sdk";
import { type Command, CommandError, type Invocation } from "../shell/command.ts";
import { follow } from "../shell/follow.ts";
import { orgKeyFieldOptions, orgKeyFieldsNote, readOrgKey } from "../shell/org-key-fields.ts";
import { note, printJson } from "../shell/output.ts";
import { withProgress } from "../shell/progress.ts";
import { showOrgKey } from "../shell/show-org-key.ts";
import { integerOf } from "../shell/values.ts";

const waitSecondsDefault = 300;
const waitSecondsMax = 3600;

/** Puts a new org key and follows the old one to its end. */
export const command: Command = {
  usage: "org-keys rotate <connector> [-] [options]",
  summary: "Set a new org key, move what was lent to it, and prove that the old one is dead.",
  notes: [
    orgKeyFieldsNote,
    "Every lease of the old key gets values of the new one in the background; apps get them when they fetch their env. A lease that the new key cannot serve is flagged and keeps the old one. The exit code is 0 when the provider refuses the old key, and 1 when it requires manual action first, such as deleting the old key there: then run keyloan org-keys retire.",
  ],
  options: {
    ...orgKeyFieldOptions,
    end: { type: "flag", help: "let the broker end the old key at the provider, where it can" },
    wait: { type: "text", value: "seconds", help: "how long to follow the progress; default 300" },
  },
  positionals: ["connector", "[-]"],
  examples: [
    "keyloan org-keys rotate turso",
    "keyloan org-keys rotate stripe - < stripe-fields.json",
    "keyloan org-keys rotate r2 --end",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const waitSeconds = integerOf(args, "wait", 0, waitSecondsMax) ?? waitSecondsDefault;
    const client = connect();
    const { connector, fields } = await readOrgKey(invocation, client);
    const key = await client.orgKeys.put(connector.id, fields);
    if (!json) showOrgKey(io, key);
    const old = await followOld(invocation, client, connector.id, io.now() + waitSeconds * 1000);
    if (json) printJson(io, { key, old });
    const living = old.find(({ state }) => state === "retiring");
    if (living !== undefined) throw notDead(living);
    if (!json)
      note(
        io,
        old.length === 0 ? "There is no older key." : "The old key is dead at the provider, and erased here.",
      );
    return 0;
  },
};

/** The older versions when nothing more happens by itself, or the time is up. */
async function followOld(
  { args, io, json }: Invocation,
  client: Client,
  connector: string,
  until: number,
): Promise<readonly OrgKeyView[]> {
  const ask = async () =>
    (await client.orgKeys.list()).orgKeys.filter((key) => key.connector === connector && isOld(key));
  const old = await withProgress(io, json, `Moving leases of ${connector} to the new key`, async (show) =>
    follow(io, show, {
      first: await ask(),
      ask,
      isAt: (keys) => (leftOf(keys) === 0 ? undefined : `${leftOf(keys)} left`),
      until,
    }),
  );
  const waiting = old.filter(({ state }) => state === "retiring");
  if (waiting.length === 0 || leftOf(waiting) > 0) return old;
  const end = args.flag("end") && waiting.some(({ canEnd }) => canEnd);
  return (await client.orgKeys.retire(connector, { end })).orgKeys.filter(isOld);
}

const isOld = ({ state }: OrgKeyView) => state !== "active";

/** How many leases still move to the new key by themselves. */
function leftOf(keys: readonly OrgKeyView[]): number {
  return keys
    .filter(({ state }) => state === "retiring")
    .reduce((sum, { leasesInUse, flagged }) => sum + leasesInUse - flagged, 0);
}

function notDead({ connector, version, todo }: OrgKeyView): CommandError {
  return new CommandError(
    "old_key_lives",
    `Version ${version} of ${connector} is not proved dead yet. ${todo ?? ""}`.trim(),
    `When you have done that: keyloan org-keys retire ${connector}`,
  );
}
