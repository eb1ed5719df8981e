import { parseArgs } from "node:util";
import { type Arguments, type Command, type OptionSpec, UsageError } from "./command.ts";
import { nearest } from "./nearest.ts";

const everywhere: Readonly<Record<string, OptionSpec>> = {
  json: { type: "flag", help: "print JSON; errors are JSON on stderr" },
  help: { type: "flag", help: "show this text" },
};

/** The options of a command, with those that every command has. */
export function optionsOf(command: Command): Readonly<Record<string, OptionSpec>> {
  return { ...command.options, ...everywhere };
}

/**
 * The arguments of a command, checked against what it takes.
 * @throws UsageError that names what is wrong and what was probably meant
 */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end + 1);
  const specs = optionsOf(command);
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(specs).map(([name, spec]) => [
          name,
          { type: spec.type === "flag" ? "boolean" : "string", multiple: true } as const,
        ]),
      ),
      help: { type: "boolean", short: "h", multiple: true },
    },
  });
  const texts = new Map<string, string[]>();
  const flags = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, Object.keys(specs));
    const value = optionValue(spec, token);
    if (value === undefined) flags.add(token.name);
    else texts.set(token.name, [...(texts.get(token.name) ?? []), value]);
    if (spec.type === "text" && !spec.multiple && (texts.get(token.name)?.length ?? 0) > 1) {
      throw new UsageError(`--${token.name} is given twice.`);
    }
  }
  if (flags.has("help")) return argumentsOf(texts, flags, positionals, rest);
  checkPositionals(command, positionals, end >= 0);
  return argumentsOf(texts, flags, positionals, rest);
}

type OptionToken = {
  readonly name: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
};

function optionValue(spec: OptionSpec, token: OptionToken): string | undefined {
  if (spec.type === "flag") {
    if (token.value !== undefined) throw new UsageError(`--${token.name} takes no value.`);
    return undefined;
  }
  const { value } = token;
  if (value === undefined || value === "" || (!token.inlineValue && /^-./.test(value))) {
    throw new UsageError(
      `--${token.name} needs a value.`,
      value?.startsWith("-")
        ? `To give one that starts with a dash, write --${token.name}=${value}`
        : undefined,
    );
  }
  return value;
}

function argumentsOf(
  texts: ReadonlyMap<string, readonly string[]>,
  flags: ReadonlySet<string>,
  positionals: readonly string[],
  rest: readonly string[],
): Arguments {
  return {
    text: (option) => texts.get(option)?.[0],
    texts: (option) => texts.get(option) ?? [],
    flag: (option) => flags.has(option),
    positionals,
    rest,
  };
}

function unknownOption(rawName: string, known: readonly string[]): UsageError {
  const suggestion = nearest(rawName.replace(/^-+/, ""), known);
  return new UsageError(
    `There is no option ${rawName}.`,
    suggestion === undefined ? undefined : `Did you mean --${suggestion}?`,
  );
}

function checkPositionals(command: Command, given: readonly string[], restGiven: boolean): void {
  const names = command.positionals ?? [];
  const required = names.filter((name) => !name.startsWith("["));
  if (given.length > names.length) {
    const extra = given[names.length] ?? "";
    throw new UsageError(
      `Unexpected argument "${extra}".`,
      command.passesRest
        ? "Put the command to run after --, as in: keyloan run --build <id> -- npm test"
        : undefined,
    );
  }
  if (given.length < required.length) throw new UsageError(`The ${required[given.length]} is missing.`);
  if (restGiven && !command.passesRest) throw new UsageError("This command takes nothing after --.");
}
