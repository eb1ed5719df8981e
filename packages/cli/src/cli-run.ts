import { processIo } from "./shell/io.ts";
import { runCli } from "./shell/run-cli.ts";
import { runTable } from "./shell/run-table.ts";

/** The same as `main` of cli.ts for command lines that start with `run`. */
export async function main(): Promise<void> {
  process.exitCode = await runCli(process.argv.slice(2), processIo(), runTable);
}
