import { resolve } from "node:path";
import { type Command, type Invocation, UsageError } from "../cli/command.ts";
import { isUnignored } from "../cli/git-ignore.ts";
import { note, printJson, warn } from "../cli/output.ts";
import { printableLines } from "../cli/terminal-text.ts";
import { buildIdOf, copiesOf, formatOf, profileOf } from "../cli/values.ts";
import { writeSecretFile } from "../cli/write-secret-file.ts";

/** Prints a build's env, or writes it to a file that only this user can read. */
export const command: Command = {
  usage: "env pull --build <id> [options]",
  summary: "Print the env of a build, or write it to a file.",
  notes: [
    "The output holds working keys. A file is written whole or not at all, readable by you alone, and never over an existing one unless --force is given. Where you can, prefer keyloan run: it leaves no file behind.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build (required)" },
    format: { type: "text", value: "format", help: "dotenv, json, shell or docker; default dotenv" },
    output: { type: "text", value: "file", help: "write to this file instead of stdout" },
    force: { type: "flag", help: "replace the file if it exists" },
    profile: { type: "text", value: "name", help: "plain, next, vite or expo; default: the build's own" },
    copies: { type: "text", value: "set", multiple: true, help: "add copied names, such as aws" },
  },
  examples: [
    "keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --output .env.local",
    "keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --json",
    'eval "$(keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --format shell)"',
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const output = args.text("output");
    const asked = formatOf(args);
    if (args.flag("force") && output === undefined) throw new UsageError("--force goes with --output.");
    if (json && output === undefined && asked !== undefined && asked !== "json") {
      throw new UsageError(`--json prints JSON, so --format ${asked} cannot be had with it.`);
    }
    const format = asked ?? (json && output === undefined ? "json" : "dotenv");
    const options = { profile: profileOf(args), copies: copiesOf(args) };
    const text = await connect().builds.envText(buildIdOf(args), format, options);
    if (output !== undefined) return write(invocation, output, text, format);
    if (json) printJson(io, JSON.parse(text));
    else io.out(io.stdoutIsTerminal() ? printableLines(endLine(text)) : endLine(text));
    return 0;
  },
};

async function write(
  { args, io, json }: Invocation,
  output: string,
  text: string,
  format: string,
): Promise<number> {
  const file = resolve(output);
  writeSecretFile(file, endLine(text), args.flag("force"));
  const unignored = isUnignored(file, io.env);
  if (unignored) {
    warn(
      io,
      `${output} is not git-ignored: add it to .gitignore before you commit, since it holds working keys.`,
    );
  }
  if (json) printJson(io, { file, format, gitIgnored: !unignored });
  else note(io, `Written to ${output} (${format}), readable by you alone.`);
  return 0;
}

function endLine(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
