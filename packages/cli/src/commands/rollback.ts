import type { Rehearsal } from "@keyloan/contract";
import { type Command, UsageError } from "../shell/command.ts";
import { confirm } from "../shell/confirm.ts";
import type { Io } from "../shell/io.ts";
import { printJson, say } from "../shell/output.ts";
import { paintFor, paintState } from "../shell/paint.ts";
import { showBuild } from "../shell/show-build.ts";
import { printable } from "../shell/terminal-text.ts";
import { buildIdOf } from "../shell/values.ts";

/** Goes back to the lent keys: for one build, or for all of them on a copy. */
export const command: Command = {
  usage: "rollback --rehearse | rollback <build-id> [--reason text]",
  summary: "Let a swapped build use its lent keys again, or rehearse that on a copy of the store.",
  notes: [
    "--rehearse copies the broker's store, opens the copy, reads all of it, and takes every swapped build back there. Nothing else changes and no provider is asked. The exit code is 1 when something would not work.",
    "A build can go back until its time for that is over; the user's own keys stay saved.",
    "Once the app's user has saved keys, they decide: they can allow tokens to go back, on the settings page. The admin can go back without their permission, with a reason that the page shows to them.",
  ],
  options: {
    rehearse: { type: "flag", help: "on a copy, for every swapped build, and measure the time" },
    build: { type: "text", value: "id", help: "the build, instead of the argument" },
    reason: { type: "text", value: "text", help: "the reason, shown to the app's user; for the admin" },
    yes: { type: "flag", help: "do not ask for confirmation" },
  },
  positionals: ["[build id]"],
  examples: [
    "keyloan rollback --rehearse",
    "keyloan rollback bld_3k9v0a5m2c7d8e4f6g1h --reason 'Your database answers errors; we look into it.'",
  ],
  run: async ({ args, io, json, connect }) => {
    const named = args.positionals.length > 0 || args.text("build") !== undefined;
    const reason = args.text("reason");
    if (args.flag("rehearse") && (named || reason !== undefined))
      throw new UsageError(
        "A rehearsal covers every swapped build, and nobody reads a reason.",
        "Leave out the build and the reason.",
      );
    if (args.flag("rehearse")) {
      const rehearsal = await connect().rollback.rehearse();
      if (json) printJson(io, rehearsal);
      else showRehearsal(io, rehearsal);
      return rehearsal.ok ? 0 : 1;
    }
    const buildId = buildIdOf(args);
    await confirm(io, `The app of ${buildId} will use its lent keys again.`, args.flag("yes"));
    const build = await connect().rollback.revert(buildId, reason === undefined ? {} : { reason });
    if (json) printJson(io, build);
    else showBuild(io, build);
    return 0;
  },
};

function showRehearsal(io: Io, { ok, milliseconds, steps, builds }: Rehearsal): void {
  const paint = paintFor(io, "stdout");
  const line = (good: boolean, title: string, message: string, time: number) => {
    const state = paintState(paint, good ? "ok" : "failed").concat(good ? "    " : "");
    io.out(`${state} ${printable(`${title}: ${message}`)} ${paint("dim", printable(`(${time} ms)`))}\n`);
  };
  for (const step of steps) line(step.ok, step.name.replaceAll("_", " "), step.message, step.milliseconds);
  for (const build of builds.filter((each) => !each.ok))
    line(false, `  ${build.id} ${build.name}`, build.message, build.milliseconds);
  const told = ok ? "A rollback works" : "A rollback would not work";
  io.out("\n");
  say(io, `${told}; the rehearsal took ${milliseconds} ms.`);
}
