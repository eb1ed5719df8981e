import { version } from "@keyloan/contract/calls";
import { UsageError } from "./command.ts";
import type { CommandTable } from "./command-table.ts";
import { commandHelp, groupHelp } from "./help.ts";
import type { Io } from "./io.ts";
import { nearest } from "./nearest.ts";
import { printFailure, printJson } from "./output.ts";

/** Answers a command line that names no command: help, version, or what was probably meant. */
export async function withoutCommand(argv: readonly string[], io: Io, table: CommandTable): Promise<number> {
  const json = argv.includes("--json");
  const words = argv.filter((word) => !word.startsWith("-"));
  if (argv[0] === "--version" || argv[0] === "-v" || argv[0] === "version") {
    if (json) printJson(io, { version });
    else io.out(`${version}\n`);
    return 0;
  }
  const asked = words[0] === "help" ? words.slice(1) : words;
  const wantsHelp = words[0] === "help" || argv.includes("--help") || argv.includes("-h");
  const text = await helpFor(asked, table);
  if (text !== undefined && (wantsHelp || (asked.length === 0 && argv.length === 0))) {
    io.out(text);
    return 0;
  }
  const group = asked[0];
  const incomplete = group !== undefined && asked.length === 1 && text !== undefined;
  const error = incomplete
    ? new UsageError(`keyloan ${group} needs a command.`, `One of: ${actionsOf(group, table).join(", ")}.`)
    : unknown(argv, asked, table);
  return printFailure(io, json, error, incomplete ? `keyloan ${group}` : "keyloan");
}

async function helpFor(words: readonly string[], table: CommandTable): Promise<string | undefined> {
  if (words.length === 0) return groupHelp(Object.entries(table));
  const entry = table[words.join(" ")];
  if (entry !== undefined) return commandHelp((await entry.load()).command);
  const group = Object.entries(table).filter(([name]) => name.startsWith(`${words.join(" ")} `));
  return group.length === 0 ? undefined : groupHelp(group, words[0]);
}

function unknown(argv: readonly string[], words: readonly string[], table: CommandTable): UsageError {
  if (words.length === 0) return new UsageError(`There is no option ${argv[0]} without a command.`);
  const names = Object.keys(table);
  const group = names.some((name) => name.startsWith(`${words[0]} `)) ? words[0] : undefined;
  const given = group === undefined ? (words[0] ?? "") : words.slice(0, 2).join(" ");
  const groups = names.map((name) => name.split(" ")[0] ?? "");
  const suggestion = nearest(words.slice(0, 2).join(" "), names) ?? nearest(given, [...names, ...groups]);
  return new UsageError(
    `There is no command "${given}".`,
    suggestion === undefined ? undefined : `Did you mean: keyloan ${suggestion}?`,
  );
}

function actionsOf(group: string, table: CommandTable): string[] {
  return Object.keys(table)
    .filter((name) => name.startsWith(`${group} `))
    .map((name) => name.slice(group.length + 1));
}
