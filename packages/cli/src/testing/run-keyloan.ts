import { Readable } from "node:stream";
import type { Environment } from "../env.ts";
import { commandTable } from "../shell/command-table.ts";
import type { Io } from "../shell/io.ts";
import { runCli } from "../shell/run-cli.ts";

export type Run = { readonly code: number; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly env?: Environment;
  readonly stdin?: string;
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly now?: () => number;
};

/** Runs a command line in this process with its output kept, as on a terminal or not. */
export async function runKeyloan(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const written = { out: "", err: "" };
  const terminal = options.terminal ?? false;
  const stdin = Readable.from([options.stdin ?? ""]);
  const io: Io = {
    env: options.env ?? {},
    stdin: () => stdin,
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
    stdinIsTerminal: () => terminal,
    stdoutIsTerminal: () => terminal,
    stderrIsTerminal: () => terminal,
    columns: () => options.columns ?? (terminal ? 80 : Number.POSITIVE_INFINITY),
    now: options.now ?? Date.now,
    // Long enough for the broker to go on meanwhile, and no longer.
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 25))),
  };
  const code = await runCli(argv, io, commandTable);
  return { code, ...written };
}
