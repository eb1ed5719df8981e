import { resolve } from "node:path";
import type { CatalogEntry } from "@keyloan/contract";
import type { ExampleComparison } from "@keyloan/env-generator";
import { KeyloanError } from "@keyloan/sdk";
import { catalogApi } from "@keyloan/sdk/parts";
import { type Command, CommandError, type Invocation, UsageError } from "../shell/command.ts";
import { readText } from "../shell/existing-file.ts";
import type { Io } from "../shell/io.ts";
import { note, printJson } from "../shell/output.ts";
import { paintFor } from "../shell/paint.ts";
import { printable, wrap } from "../shell/terminal-text.ts";
import { buildIdOf, copiesOf, profileOf } from "../shell/values.ts";

/** Compares the names of a `.env.example` with those of a build or of a file. Never prints a value. */
export const command: Command = {
  usage: "env check --example <file> (--build <id> | --file <file>) [options]",
  summary: "Show which variables of a .env.example a build or an env file lacks.",
  notes: [
    "A variable that is set but empty counts as missing. The exit code is 1 when a variable is missing that the app needs: optional ones, and those with a default, do not count. The broker's catalog says what happens without a variable; with --file this is left out when no broker answers.",
  ],
  options: {
    example: { type: "text", value: "file", help: "the list of what the app needs (required)" },
    build: { type: "text", value: "id", help: "compare with the env of this build" },
    file: { type: "text", value: "file", help: "compare with this env file" },
    profile: { type: "text", value: "name", help: "plain, next, vite or expo; default: the build's own" },
    copies: { type: "text", value: "set", multiple: true, help: "add copied names, such as aws" },
  },
  examples: [
    "keyloan env check --example .env.example --file .env.production",
    "keyloan env check --example .env.example --build bld_3k9v0a5m2c7d8e4f6g1h --json",
  ],
  run: async (invocation) => {
    const { args, io, json } = invocation;
    const example = args.text("example");
    if (example === undefined) throw new UsageError("The command needs an --example.");
    if ((args.text("build") === undefined) === (args.text("file") === undefined)) {
      throw new UsageError("The command needs either a --build or a --file, not both.");
    }
    const exampleText = textOf(example);
    const names = await givenNames(invocation);
    const { compareWithExample } = await import("../env-files.ts");
    const comparison = compareWithExample(exampleText, names, await catalogOf(invocation));
    const complete = comparison.missing.every(({ optional }) => optional);
    if (json) printJson(io, { complete, ...comparison });
    else show(io, example, comparison);
    return complete ? 0 : 1;
  },
};

function textOf(shown: string): string {
  const text = readText(resolve(shown), shown);
  if (text !== undefined) return text;
  throw new CommandError("file_not_found", `There is no file ${shown}.`, "Check the path.");
}

/** The names that are set to something. */
async function givenNames({ args, connect }: Invocation): Promise<readonly string[]> {
  const file = args.text("file");
  if (file !== undefined) {
    const { namesInEnvFile } = await import("../env-files.ts");
    return [...namesInEnvFile(textOf(file))].flatMap(([name, state]) => (state === "empty" ? [] : [name]));
  }
  const options = { profile: profileOf(args), copies: copiesOf(args) };
  const env = await connect().builds.env(buildIdOf(args), options);
  return Object.keys(env).filter((name) => env[name] !== "");
}

async function catalogOf({ args, connectCaller }: Invocation): Promise<readonly CatalogEntry[]> {
  try {
    return (await catalogApi(connectCaller(false)).get()).connectors;
  } catch (error) {
    if (args.text("file") !== undefined && error instanceof KeyloanError) return [];
    throw error;
  }
}

function show(io: Io, example: string, { missing, extra, present }: ExampleComparison): void {
  const paint = paintFor(io, "stdout");
  for (const variable of missing) {
    const state = variable.optional ? paint("yellow", "optional") : paint("red", "missing");
    const text = [
      variable.ifUnset ?? "",
      variable.default === undefined ? "" : `Default: ${variable.default}.`,
    ].join(" ");
    io.out(`${state}  ${printable(variable.name)}\n`);
    if (text.trim() !== "") io.out(`${wrap(text.trim(), 80, "  ")}\n`);
  }
  for (const name of extra) io.out(`${paint("dim", "not in the example")}  ${printable(name)}\n`);
  const needed = missing.filter(({ optional }) => !optional).length;
  const total = missing.length + present.length;
  note(
    io,
    needed === 0
      ? `Nothing that the app needs is missing: ${present.length} of ${total} variables of ${example} are set.`
      : `${needed} of ${total} variables of ${example} are missing or empty.`,
  );
}
