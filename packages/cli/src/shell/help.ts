import { optionsOf } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { CommandEntry } from "./command-table.ts";
import { cellsOf, wrap } from "./terminal-text.ts";

const width = 80;

/** The help text of one command, at most 80 columns wide. */
export function commandHelp(command: Command): string {
  const options = Object.entries(optionsOf(command)).map(
    ([name, spec]) => [`--${name}${spec.value === undefined ? "" : ` <${spec.value}>`}`, spec.help] as const,
  );
  const parts = [
    wrap(command.summary, width),
    `Usage:\n  keyloan ${command.usage}`,
    ...(command.notes ?? []).map((paragraph) => wrap(paragraph, width)),
    `Options:\n${twoColumns(options)}`,
    `Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The list of commands: all of them, or those of one group such as `build`. */
export function groupHelp(entries: Entries, group?: string): string {
  const usage = group === undefined ? "keyloan <command> [options]" : `keyloan ${group} <command> [options]`;
  const parts = [
    ...(group === undefined ? ["Keyloan lends a build a full set of working keys."] : []),
    `Usage:\n  ${usage}`,
    ...(group === undefined ? sectionsOf(entries) : [`Commands:\n${commandColumns(entries)}`]),
    ...(group === undefined ? [environmentHelp, exampleHelp] : []),
    "Details and examples of one command: keyloan <command> --help",
  ];
  return `${parts.join("\n\n")}\n`;
}

type Entries = readonly (readonly [string, CommandEntry])[];

/** A paragraph a section; all have their summaries in one column. */
function sectionsOf(entries: Entries): string[] {
  const starts = entries.flatMap(([, { section }], index) => (section === undefined ? [] : [index]));
  const widest = widestOf(entries.map(([name]) => name));
  return starts.map((start, index) => {
    const own = entries.slice(start, starts[index + 1]);
    return `${own[0]?.[1].section}:\n${commandColumns(own, widest)}`;
  });
}

function commandColumns(entries: Entries, widest?: number): string {
  return twoColumns(
    entries.map(([name, { summary }]) => [name, summary] as const),
    widest,
  );
}

const environmentHelp = `Environment:
${twoColumns([
  ["KEYLOAN_URL", "the broker's address; default http://127.0.0.1:8787"],
  ["KEYLOAN_TOKEN", "the token to use"],
  ["KEYLOAN_TOKEN_FILE", "a file that holds the token, instead"],
  ["KEYLOAN_ALLOW_HTTP", "1 to allow http:// to other machines (the token can be read on the way)"],
])}`;

const exampleHelp = `Examples:
  keyloan doctor
  keyloan build create --name todo-app
  keyloan run --build bld_3k9v0a5m2c7d8e4f6g1h -- npm test`;

function widestOf(names: readonly string[]): number {
  return Math.max(...names.map(cellsOf));
}

function twoColumns(
  rows: readonly (readonly [string, string])[],
  widest = widestOf(rows.map(([name]) => name)),
): string {
  const first = Math.min(26, widest) + 4;
  return rows
    .map(([name, text]) => {
      const lines = wrap(text, width - first).split("\n");
      const head = cellsOf(name) + 4 > first ? [`  ${name}`] : [];
      const start = head.length > 0 ? " ".repeat(first) : `  ${name}`.padEnd(first);
      return [...head, ...lines.map((line, index) => (index === 0 ? start : " ".repeat(first)) + line)].join(
        "\n",
      );
    })
    .join("\n");
}
