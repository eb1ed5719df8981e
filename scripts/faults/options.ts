import { parseArgs } from "node:util";
import { scenarios } from "./scenarios/index.ts";

export type Options = {
  readonly scenarios: readonly string[];
  /** Only points whose name contains this. */
  readonly at: string | undefined;
  /** At most so many points, spread over all. */
  readonly sample: number | undefined;
  /** `alternate`: one point with one broker, the next one with two. */
  readonly brokers: 1 | 2 | "alternate";
  /** The n-th of so many equal parts of all points. */
  readonly part: { readonly number: number; readonly of: number } | undefined;
  readonly parallel: number;
  /** Where the report goes. */
  readonly report: string;
};

export const help = `Kills the broker at every await of what it does, starts another, and looks for what was lost.

Usage: pnpm faults [options]

  --only <name>      one scenario; may be repeated. Known: ${scenarios.map(({ name }) => name).join(", ")}
  --at <text>        only points whose name contains the text, such as issue-lease.ts
  --sample <n>       at most n points, spread evenly over all
  --part <n/m>       the n-th of m parts of all points, such as 1/3
  --brokers <1|2>    1: a new broker takes over; 2: a second one on the same store does. By default the
                     points take turns
  --parallel <n>     runs at once, default 2
  --report <file>    where every point is named, default faults-report.txt
  -h, --help         this text

Examples:
  pnpm faults
  pnpm faults --part 1/2
  pnpm faults --only swap --brokers 2
  pnpm faults --at group-writer.ts --sample 20

The last line is \`points N, lost N, orphaned N\`; the exit code is 0 only when nothing was.`;

/** @throws Error with a sentence for a wrong option */
export function readOptions(argv: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", multiple: true },
      at: { type: "string" },
      sample: { type: "string" },
      part: { type: "string" },
      brokers: { type: "string" },
      parallel: { type: "string" },
      report: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const names = scenarios.map(({ name }) => name);
  const unknown = values.only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}; known: ${names.join(", ")}`);
  if (values.brokers !== undefined && !["1", "2"].includes(values.brokers))
    throw new Error("--brokers is 1 or 2");
  return {
    scenarios: values.only ?? names,
    at: values.at,
    sample: values.sample === undefined ? undefined : positive("--sample", values.sample),
    brokers: values.brokers === undefined ? "alternate" : values.brokers === "1" ? 1 : 2,
    part: values.part === undefined ? undefined : partOf(values.part),
    parallel: values.parallel === undefined ? 2 : positive("--parallel", values.parallel),
    report: values.report ?? "faults-report.txt",
  };
}

function partOf(text: string): { readonly number: number; readonly of: number } {
  const [, number, of] = /^([1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(text) ?? [];
  if (number === undefined || of === undefined || Number(number) > Number(of))
    throw new Error("--part is written n/m, such as 1/3");
  return { number: Number(number), of: Number(of) };
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`${name} is a whole number above 0`);
  return Number(text);
}
