import { parseArgs } from "node:util";

export type Options = { readonly names: readonly string[]; readonly json: boolean };

export const helpOf = (
  measures: readonly string[],
) => `Measures how fast Keyloan is, as ratios taken in one run.

Usage: pnpm bench [measure…] [options]

  ${measures.join(", ")}
                its measures; default all, which takes about ten minutes
  --json        print JSON
  -h, --help    this text

Examples:
  pnpm bench
  pnpm bench env start
  pnpm bench cli --json

docs/performance.md tells what each measures and what was reached. \`pnpm build\` comes first.`;

/** @throws Error with a sentence for a wrong option */
export function readOptions(argv: readonly string[], measures: readonly string[]): Options | "help" {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) return "help";
  const unknown = positionals.filter((name) => !measures.includes(name));
  if (unknown.length > 0) throw new Error(`There is no measure ${unknown.join(", ")}.`);
  return { names: positionals.length === 0 ? measures : positionals, json: values.json };
}
