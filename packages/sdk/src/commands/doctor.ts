import { type CheckResult, runChecks } from "../cli/checks.ts";
import type { Command } from "../cli/command.ts";
import { counted } from "../cli/counted.ts";
import { doctorChecks } from "../cli/doctor-checks.ts";
import { printJson } from "../cli/output.ts";
import { paintFor, paintState } from "../cli/paint.ts";
import { printable, wrap } from "../cli/terminal-text.ts";

/** Checks everything between this machine and a working key, with a remedy for each thing that is wrong. */
export const command: Command = {
  usage: "doctor [--production]",
  summary: "Check this machine, the broker and the token; say what to do about each problem.",
  notes: ["It changes nothing. The exit code is 1 when a check fails; a warning does not count."],
  options: {
    production: {
      type: "flag",
      help: "also read the whole audit, and fail unless something outside the store proves it",
    },
  },
  examples: ["keyloan doctor", "keyloan doctor --production", "keyloan doctor --json"],
  run: async ({ args, io, json, connectCaller }) => {
    const paint = paintFor(io, "stdout");
    const show = (result: CheckResult) => {
      if (json) return;
      const state = paintState(paint, result.state) + " ".repeat(9 - result.state.length);
      const indent = " ".repeat(9);
      const text = wrap(printable(`${result.name}: ${result.message}`), io.columns(), indent);
      io.out(`${state}${text.slice(indent.length)}\n`);
      if (result.remedy !== undefined) io.out(`${wrap(printable(result.remedy), io.columns(), indent)}\n`);
    };
    const results = await runChecks(doctorChecks(io, connectCaller, args.flag("production")), show);
    const failures = results.filter((result) => result.state === "failed").length;
    if (json) printJson(io, { ok: failures === 0, checks: results });
    else {
      io.out(failures === 0 ? "\nAll is well.\n" : `\n${counted(failures, "problem")} found.\n`);
    }
    return failures === 0 ? 0 : 1;
  },
};
