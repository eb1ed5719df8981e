import { KeyloanError } from "@keyloan/sdk";
import { clientOver, createCaller } from "@keyloan/sdk/parts";
import { readSettings } from "../env.ts";
import { parseArguments } from "./arguments.ts";
import type { Command, Invocation } from "./command.ts";
import type { CommandTable } from "./command-table.ts";
import type { Io } from "./io.ts";

/**
 * Runs one command line and gives its exit code: 0 ok, 1 failed, 2 wrong usage; `run` gives that of
 * the command it started. Everything that can go wrong is printed, nothing is thrown.
 */
export async function runCli(argv: readonly string[], io: Io, table: CommandTable): Promise<number> {
  const name = commandNameOf(argv, table);
  if (name === undefined) return (await import("./without-command.ts")).withoutCommand(argv, io, table);
  const own = argv.slice(name.split(" ").length);
  const json = beforeRest(own).includes("--json");
  try {
    const entry = table[name];
    if (entry === undefined) throw new Error(`no command ${name}`);
    const { command } = await entry.load();
    return await runCommand(command, own, io, json);
  } catch (error) {
    return (await import("./output.ts")).printFailure(io, json, error, `keyloan ${name}`);
  }
}

async function runCommand(command: Command, argv: readonly string[], io: Io, json: boolean): Promise<number> {
  const args = await parseArguments(command, argv);
  if (args.flag("help")) {
    io.out((await import("./help.ts")).commandHelp(command));
    return 0;
  }
  const connectCaller: Invocation["connectCaller"] = (needsToken = true) => {
    const settings = readSettings(io.env);
    if (needsToken && settings.token === undefined) throw tokenMissing();
    return createCaller({ ...settings, sleep: io.sleep });
  };
  const connect = () => clientOver(connectCaller());
  return command.run({ args, io, json, connect, connectCaller });
}

function commandNameOf(argv: readonly string[], table: CommandTable): string | undefined {
  const [first = "", second = ""] = argv;
  return [`${first} ${second}`, first].find((name) => Object.hasOwn(table, name));
}

function beforeRest(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? argv : argv.slice(0, end);
}

function tokenMissing(): KeyloanError {
  return new KeyloanError("invalid_token", "There is no token to authenticate with.", {
    remedy: "Set KEYLOAN_TOKEN, or KEYLOAN_TOKEN_FILE to a file that holds it.",
  });
}
