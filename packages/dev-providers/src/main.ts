import { allowsColour, readSettings } from "./env.ts";
import { help } from "./help.ts";
import { LaunchError } from "./launch-error.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [command, ...rest] = argv.filter((word) => word !== "--");
  if (argv.includes("--help") || argv.includes("-h") || command === "help") {
    process.stdout.write(help);
    return 0;
  }
  if ((command !== "start" && command !== "demo") || rest.length > 0) {
    const what = command === undefined ? "A command is missing" : `"${argv.join(" ")}" is not understood`;
    throw new LaunchError(`${what}: use start, demo or --help.`, { exitCode: 2 });
  }
  if (command === "start") return (await import("./start/start.ts")).start(readSettings(), terminal);
  return (await import("./demo/demo.ts")).demo(terminal);
}

function report(error: unknown, terminal: Terminal): number {
  if (!(error instanceof LaunchError)) {
    terminal.error(`Keyloan failed for an unknown reason: ${describe(error)}`);
    return 1;
  }
  terminal.error(terminal.paint("red", error.message));
  for (const line of error.detail) terminal.error(terminal.paint("dim", `  ${line}`));
  return error.exitCode;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : "no reason given";
}

const terminal = openTerminal(allowsColour());
process.exitCode = await main(process.argv.slice(2), terminal).catch((error: unknown) =>
  report(error, terminal),
);
