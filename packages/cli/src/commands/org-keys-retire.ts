import { type Command, CommandError } from "../shell/command.ts";
import { confirm } from "../shell/confirm.ts";
import { note, printJson, say } from "../shell/output.ts";

/** Asks whether replaced org keys are dead, or ends them. */
export const command: Command = {
  usage: "org-keys retire <connector> [--end]",
  summary: "Check whether the replaced keys of a connector are dead at the provider, or end them there.",
  notes: [
    "The broker also checks automatically, at growing intervals. A key that leases still use is left alone. The exit code is 1 while an old key is not proved dead.",
  ],
  options: {
    end: { type: "flag", help: "end it at the provider first, where the broker can" },
    yes: { type: "flag", help: "with --end: do not ask for confirmation" },
  },
  positionals: ["connector"],
  examples: ["keyloan org-keys retire turso", "keyloan org-keys retire r2 --end"],
  run: async ({ args, io, json, connect }) => {
    const connector = args.positionals[0] ?? "";
    const end = args.flag("end");
    if (end)
      await confirm(io, `This ends every replaced key of ${connector} at the provider.`, args.flag("yes"));
    const list = await connect().orgKeys.retire(connector, { end });
    if (json) printJson(io, list);
    const living = list.orgKeys.filter(({ state }) => state === "retiring");
    if (!json) {
      for (const { version, state, provenDeadAt } of list.orgKeys) {
        const proof = provenDeadAt === undefined ? "" : `, proved dead ${provenDeadAt.slice(0, 10)}`;
        say(io, `version ${version}: ${state}${proof}`);
      }
      if (living.length === 0) note(io, "No replaced key is left.");
    }
    const [first] = living;
    if (first === undefined) return 0;
    throw new CommandError(
      "old_key_lives",
      `Version ${first.version} is not proved dead. ${first.todo ?? ""}`.trim(),
      `When you have done that, run this again: keyloan org-keys retire ${connector}`,
    );
  },
};
