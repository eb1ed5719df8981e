import { processIo } from "./cli/io.ts";
import { runCli } from "./cli/run-cli.ts";
import { runTable } from "./cli/run-table.ts";

/** The same as `main` of cli.ts for command lines that start with `run`. */
export async function main(): Promise<void> {
  process.exitCode = await runCli(process.argv.slice(2), processIo(), runTable);
}
