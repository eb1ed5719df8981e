import { type CheckResult, runChecks } from "../shell/checks.ts";
import type { Command } from "../shell/command.ts";
import { counted } from "../shell/counted.ts";
import { doctorChecks } from "../shell/doctor-checks.ts";
import { printJson } from "../shell/output.ts";
import { paintFor, paintState } from "../shell/paint.ts";
import { wrap } from "../shell/terminal-text.ts";

/** Checks everything between this machine and a working key, with a remedy for each thing that is wrong. */
export const command: Command = {
  usage: "doctor [--production]",
  summary: "Check this machine, the broker and the token; say what to do about each problem.",
  notes: ["It changes nothing. The exit code is 1 when a check fails; a warning does not count."],
  options: {
    production: {
      type: "flag",
      help: "also fail on what only tests may do without: a configuration with warnings, an audit that nothing outside the store proves",
    },
  },
  examples: ["keyloan doctor", "keyloan doctor --production", "keyloan doctor --json"],
  run: async ({ args, io, json, connectCaller }) => {
    const paint = paintFor(io, "stdout");
    const show = (result: CheckResult) => {
      if (json) return;
      const state = paintState(paint, result.state) + " ".repeat(9 - result.state.length);
      const indent = " ".repeat(9);
      const text = wrap(`${result.name}: ${result.message}`, io.columns(), indent);
      io.out(`${state}${text.slice(indent.length)}\n`);
      if (result.remedy !== undefined) io.out(`${wrap(result.remedy, io.columns(), indent)}\n`);
    };
    const results = await runChecks(doctorChecks(io, connectCaller, args.flag("production")), show);
    const failures = results.filter((result) => result.state === "failed").length;
    if (json) printJson(io, { ok: failures === 0, checks: results });
    else {
      io.out(`\n${verdict(failures, results.filter((result) => result.state === "warning").length)}\n`);
    }
    return failures === 0 ? 0 : 1;
  },
};

function verdict(failures: number, warnings: number): string {
  if (failures > 0) return `${counted(failures, "problem")} found.`;
  return warnings === 0 ? "Everything is fine." : `No problem, and ${counted(warnings, "warning")}.`;
}
