import type { AuditMatch } from "@keyloan/contract";
import { type Command, type Invocation, UsageError } from "../shell/command.ts";
import { confirm } from "../shell/confirm.ts";
import { type Ending, endLeaked, planOf } from "../shell/end-leaked.ts";
import { note, printJson, warn } from "../shell/output.ts";
import { paintFor } from "../shell/paint.ts";
import { askOne } from "../shell/prompt.ts";
import { showMatch } from "../shell/show-match.ts";
import { wrap } from "../shell/terminal-text.ts";

/** Tells what a leaked value was, and ends it. */
export const command: Command = {
  usage: "leak report [<value> | -] [options]",
  summary: "Find out which build a leaked value belongs to, who fetched it and when; with --end, end it.",
  notes: [
    "On a terminal you are asked for the value, and it is not shown as you type. In a script, pipe it in and give - as the argument. The broker looks it up by its keyed hash and does not store it anywhere.",
    "Exit code 0: it is not Keyloan's, is dead, or was ended. 1: it may still work.",
  ],
  options: {
    end: {
      type: "flag",
      help: "end it: revoke the token, or end the lease's credentials and issue new ones",
    },
    yes: { type: "flag", help: "with --end: do not ask for confirmation" },
  },
  positionals: ["[value]"],
  examples: [
    "keyloan leak report",
    "keyloan leak report - < leaked.txt",
    "keyloan leak report --end --yes - < leaked.txt",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    if (args.flag("yes") && !args.flag("end")) throw new UsageError("Use --yes together with --end.");
    const { audit } = connect();
    const { matches } = await audit.matches([await leakedValue(invocation)]);
    if (!json) show(invocation, matches);
    const endings = args.flag("end") ? await endAll(invocation, matches) : [];
    if (json) printJson(io, { matches, ...(args.flag("end") ? { endings } : {}) });
    else for (const ending of endings) showEnding(invocation, ending);
    const alive = matches.filter((match) => match.alive).length;
    return alive > endings.filter((ending) => ending.ended).length ? 1 : 0;
  },
};

async function leakedValue({ args, io, json }: Invocation): Promise<string> {
  const [given] = args.positionals;
  if (given !== undefined && given !== "-") {
    warn(io, "a value given as an argument ends up in the shell's history and in the process list.");
    return given;
  }
  const asks = given === undefined && !json && io.stdinIsTerminal() && io.stderrIsTerminal();
  const text = asks ? await askOne(io, "The leaked value (not shown): ", true) : await readAll(io.stdin());
  const value = text.trim();
  if (value !== "") return value;
  throw new UsageError("There is no value.", "Pipe it in: keyloan leak report - < leaked.txt");
}

const charactersMax = 8_192;

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.length > charactersMax) throw new UsageError("This is too long for a single value.");
  }
  return text;
}

function show({ io }: Invocation, matches: readonly AuditMatch[]): void {
  if (matches.length === 0) {
    io.out("It was never lent or set here, and is not a token of this broker.\n");
    return;
  }
  for (const match of matches) showMatch(io, match);
}

async function endAll(invocation: Invocation, matches: readonly AuditMatch[]): Promise<Ending[]> {
  const { args, io, connect } = invocation;
  const plans = matches.flatMap((match) => planOf(match) ?? []);
  if (plans.length > 0) await confirm(io, `This will ${plans.join(", and ")}.`, args.flag("yes"));
  const client = connect();
  const endings: Ending[] = [];
  for (const match of matches.filter(({ alive }) => alive)) endings.push(await endLeaked(io, client, match));
  if (endings.length === 0 && !invocation.json) note(io, "There is nothing to end.");
  return endings;
}

function showEnding({ io }: Invocation, { what, ended, message }: Ending): void {
  const paint = paintFor(io, "stdout");
  const state = ended ? paint("green", "ended") : paint("red", "not ended");
  io.out(`${state}: ${wrap(`${what}: ${message}`, io.columns(), "  ").trimStart()}\n`);
}
