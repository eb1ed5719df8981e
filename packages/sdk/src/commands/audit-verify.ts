import type { AuditVerification } from "@keyloan/contract";
import { type Arguments, type Command, CommandError, UsageError } from "../cli/command.ts";
import { counted } from "../cli/counted.ts";
import { readText } from "../cli/existing-file.ts";
import type { Io } from "../cli/io.ts";
import { printJson } from "../cli/output.ts";
import { paintFor } from "../cli/paint.ts";
import { withProgress } from "../cli/progress.ts";
import { printable } from "../cli/terminal-text.ts";

/** Looks for edited, removed and reordered rows of the audit. */
export const command: Command = {
  usage: "audit verify [options]",
  summary: "Find edited, removed and reordered rows of the audit. Exit code 0: none, 1: found.",
  notes: [
    "Every row holds the hash of the one before it, and the broker signs the end of the chain every minute. A head that was kept elsewhere (keyloan audit head, or a line of the broker's log) proves that nothing before it was taken away with the heads in the store.",
  ],
  options: {
    head: { type: "text", value: "jws", help: "a head that was kept elsewhere" },
    "head-file": { type: "text", value: "file", help: "a file that holds one" },
  },
  examples: ["keyloan audit verify", "keyloan audit verify --head-file audit-head.txt"],
  run: async ({ args, io, json, connect }) => {
    const head = headOf(args);
    const { audit } = connect();
    const result = await withProgress(io, json, "Reading the audit", () => audit.verify(head));
    if (json) printJson(io, result);
    else show(io, result, head !== undefined);
    return result.ok ? 0 : 1;
  },
};

function headOf(args: Arguments): string | undefined {
  const file = args.text("head-file");
  const given = args.text("head");
  if (file === undefined) return given;
  if (given !== undefined) throw new UsageError("--head and --head-file cannot be had together.");
  const text = readText(file, file)?.trim();
  if (text !== undefined && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return text;
  throw new CommandError(
    "file_unreadable",
    `The file ${file} holds no signed head.`,
    "It should hold one line as keyloan audit head prints it.",
  );
}

function show(io: Io, result: AuditVerification, withHead: boolean): void {
  const paint = paintFor(io, "stdout");
  const problem = result.firstProblem;
  if (problem === undefined) {
    io.out(
      `${paint("green", "ok")}: ${counted(result.rows, "row")}, ${counted(result.heads, "signed head")}\n`,
    );
    const hint = "An end cut off with its heads shows only against a head kept elsewhere: keyloan audit head";
    if (!withHead) io.out(`${paint("dim", hint)}\n`);
    return;
  }
  io.out(
    `${paint("red", problem.kind)} at row ${problem.sequence}: ${printable(problem.message)}\n` +
      `${counted(result.rows, "row")} and ${counted(result.heads, "signed head")} were read. What stands before row ${problem.sequence} is as it was written.\n` +
      "Compare with an older export or backup, and with the heads in the broker's log.\n",
  );
}
