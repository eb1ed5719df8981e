import { commandTable } from "./shell/command-table.ts";
import { processIo } from "./shell/io.ts";
import { runCli } from "./shell/run-cli.ts";

/** Runs the command line of this process. The exit code is set, so that all output is written before the end. */
export async function main(): Promise<void> {
  process.exitCode = await runCli(process.argv.slice(2), processIo(), commandTable);
}
