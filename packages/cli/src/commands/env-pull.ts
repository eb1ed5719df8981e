import { resolve } from "node:path";
import { type Command, type Invocation, UsageError } from "../shell/command.ts";
import { encryptedText, mergedText } from "../shell/env-file-options.ts";
import { readReplaceableText } from "../shell/existing-file.ts";
import { isUnignored } from "../shell/git-ignore.ts";
import { githubMasks } from "../shell/github-masks.ts";
import { note, printJson, warn } from "../shell/output.ts";
import { printableLines } from "../shell/terminal-text.ts";
import { buildIdOf, copiesOf, formatNames, formatOf, profileOf } from "../shell/values.ts";
import { writeSecretFile } from "../shell/write-secret-file.ts";

/** Prints a build's env, or writes it to a file that only this user can read. */
export const command: Command = {
  usage: "env pull --build <id> [options]",
  summary: "Print the env of a build, or write it to a file.",
  notes: [
    "The output holds working keys. A file is written completely or not at all, only you can read it, and an existing file is never overwritten unless --force or --merge is given. Where you can, prefer keyloan run: it leaves no file behind.",
    "--merge puts the variables into a block of an existing .env file and keeps every other line as it is. When the file sets one of the names outside the block, nothing is written and the lines are listed.",
    "In GitHub Actions, --format github also hides the values in the log of the job.",
  ],
  options: {
    build: { type: "text", value: "id", help: "the build (required)" },
    format: { type: "text", value: "format", help: `${formatNames.join(", ")}; default dotenv` },
    output: { type: "text", value: "file", help: "write to this file instead of stdout" },
    force: { type: "flag", help: "replace the file if it exists" },
    merge: { type: "flag", help: "keep the other lines of the file (format dotenv)" },
    "age-recipient": {
      type: "text",
      value: "age1…",
      help: "encrypt to this age key; only its owner can read it",
    },
    name: { type: "text", value: "name", help: "the name of the Secret for kubernetes; default app-env" },
    profile: { type: "text", value: "name", help: "plain, next, vite or expo; default: the build's own" },
    copies: { type: "text", value: "set", multiple: true, help: "add copied names, such as aws" },
  },
  examples: [
    "keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --output .env.local --merge",
    "keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --json",
    'eval "$(keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --format shell)"',
    'keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --format github >> "$GITHUB_ENV"',
    "keyloan env pull --build bld_3k9v0a5m2c7d8e4f6g1h --format kubernetes | kubectl apply -f -",
  ],
  run: async (invocation) => {
    const { args, io, json, connect } = invocation;
    const { output, format, recipient, merge } = wantedOf(invocation);
    const buildId = buildIdOf(args);
    const options = { profile: profileOf(args), copies: copiesOf(args), name: args.text("name") };
    // What can be refused is refused before a single-use token is spent.
    if (recipient !== undefined) await encryptedText("", recipient);
    if (merge !== undefined) await mergedText(merge, readReplaceableText(resolve(merge), merge) ?? "", "");
    const fetched = endLine(await connect().builds.envText(buildId, format, options));
    if (format === "github" && io.env.GITHUB_ACTIONS === "true") io.err(githubMasks(fetched));
    const text = recipient === undefined ? fetched : await encryptedText(fetched, recipient);
    if (output !== undefined) return write(invocation, output, text, format);
    if (json) printJson(io, JSON.parse(text));
    else io.out(io.stdoutIsTerminal() ? printableLines(text) : text);
    return 0;
  },
};

function wantedOf({ args, json }: Invocation) {
  const output = args.text("output");
  const asked = formatOf(args);
  const recipient = args.text("age-recipient");
  const merge = args.flag("merge") ? output : undefined;
  if (args.flag("force") && output === undefined) throw new UsageError("Use --force together with --output.");
  if (args.flag("merge") && output === undefined) throw new UsageError("Use --merge together with --output.");
  if (json && output === undefined && asked !== undefined && asked !== "json") {
    throw new UsageError(`--json prints JSON, so it cannot be combined with --format ${asked}.`);
  }
  if (json && output === undefined && recipient !== undefined) {
    throw new UsageError("--json prints the values, so --age-recipient needs an --output with it.");
  }
  const format = asked ?? (json && output === undefined ? "json" : "dotenv");
  if (merge !== undefined && format !== "dotenv") {
    throw new UsageError(`--merge works with .env files, so it cannot be combined with --format ${format}.`);
  }
  if (merge !== undefined && (recipient !== undefined || args.flag("force"))) {
    throw new UsageError("--merge cannot be combined with --force or --age-recipient.");
  }
  if (args.text("name") !== undefined && format !== "kubernetes") {
    throw new UsageError("Use --name together with --format kubernetes.");
  }
  return { output, format, recipient, merge };
}

async function write(
  { args, io, json }: Invocation,
  output: string,
  text: string,
  format: string,
): Promise<number> {
  const file = resolve(output);
  const isEncrypted = args.text("age-recipient") !== undefined;
  // Read again: it may have been edited while the broker was asked.
  const existing = args.flag("merge") ? readReplaceableText(file, output) : undefined;
  const whole = args.flag("merge") ? await mergedText(output, existing ?? "", text) : text;
  writeSecretFile(file, whole, args.flag("force") || existing !== undefined);
  const unignored = isUnignored(file, io.env);
  if (unignored && !isEncrypted) {
    warn(
      io,
      `${output} is not git-ignored: add it to .gitignore before you commit, since it holds working keys.`,
    );
  }
  if (json)
    printJson(io, { file, format, gitIgnored: !unignored, ...(isEncrypted ? { encrypted: true } : {}) });
  else {
    const how = isEncrypted ? `${format}, encrypted` : format;
    note(
      io,
      `${existing === undefined ? "Written to" : "Merged into"} ${output} (${how}), readable by you alone.`,
    );
  }
  return 0;
}

function endLine(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
