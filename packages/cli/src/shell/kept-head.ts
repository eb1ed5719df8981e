import { type Arguments, CommandError, type OptionSpec, UsageError } from "./command.ts";
import { readText } from "./existing-file.ts";

/** Options by which a head of the audit that was kept elsewhere is given. */
export const keptHeadOptions: Readonly<Record<string, OptionSpec>> = {
  head: { type: "text", value: "jws", help: "a head that was kept elsewhere" },
  "head-file": { type: "text", value: "file", help: "a file that holds a head, or a file sink" },
};

/** The head that {@link keptHeadOptions} give. @throws UsageError or CommandError */
export function keptHeadOf(args: Arguments): string | undefined {
  const file = args.text("head-file");
  const given = args.text("head");
  if (file === undefined) return given;
  if (given !== undefined) throw new UsageError("--head and --head-file cannot be combined.");
  // Heads are added at the end of a file, so the last one proves the most.
  const heads = (readText(file, file) ?? "").split("\n").flatMap((line) => headOf(line.trim()) ?? []);
  const last = heads.at(-1);
  if (last !== undefined) return last;
  throw new CommandError(
    "file_unreadable",
    `The file ${file} does not contain a signed head.`,
    "It should contain a line as keyloan audit head prints it, or as the broker writes it to its sink.",
  );
}

function headOf(line: string): string | undefined {
  const text = /^\{.*"signed":"([^"]+)"/.exec(line)?.[1] ?? line;
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? text : undefined;
}
