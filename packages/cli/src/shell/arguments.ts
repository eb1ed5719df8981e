import { type Arguments, type Command, type OptionSpec, UsageError } from "./command.ts";

const everywhere: Readonly<Record<string, OptionSpec>> = {
  json: { type: "flag", help: "print JSON; errors are JSON on stderr" },
  help: { type: "flag", help: "show this help" },
};

/** The options of a command, with those that every command has. */
export function optionsOf(command: Command): Readonly<Record<string, OptionSpec>> {
  return { ...command.options, ...everywhere };
}

/**
 * The arguments of a command, checked against what it takes: `--name value`, `--name=value`, flags,
 * positional arguments, and after `--` another program's command line. Loading node:util for its
 * parseArgs would cost every `keyloan run` more than this does.
 * @throws UsageError that names what is wrong and what was probably meant
 */
export async function parseArguments(command: Command, argv: readonly string[]): Promise<Arguments> {
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  const specs = optionsOf(command);
  const texts = new Map<string, string[]>();
  const positionals: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const written = equals < 0 ? word : word.slice(0, equals);
    const name = written === "-h" ? "help" : written.slice(2);
    const isKnown = (written.startsWith("--") || written === "-h") && Object.hasOwn(specs, name);
    const spec = isKnown ? specs[name] : undefined;
    if (spec === undefined) throw await unknownOption(written, Object.keys(specs));
    const inline = equals < 0 ? undefined : word.slice(equals + 1);
    if (spec.type === "text" && inline === undefined) index += 1;
    addValue(texts, name, spec, inline, words[index]);
  }
  const args = argumentsOf(texts, positionals, end < 0 ? [] : argv.slice(end + 1));
  if (!args.flag("help")) checkPositionals(command, positionals, end >= 0);
  return args;
}

function addValue(
  texts: Map<string, string[]>,
  name: string,
  spec: OptionSpec,
  inline: string | undefined,
  next: string | undefined,
): void {
  if (spec.type === "flag") {
    if (inline !== undefined) throw new UsageError(`--${name} takes no value.`);
    texts.set(name, []);
    return;
  }
  const value = inline ?? next;
  const isOption = inline === undefined && value !== undefined && /^-./.test(value);
  if (value === undefined || value === "" || isOption) {
    const remedy = `To give one that starts with a dash, write --${name}=${value}`;
    throw new UsageError(`--${name} needs a value.`, isOption ? remedy : undefined);
  }
  const before = texts.get(name) ?? [];
  if (before.length > 0 && !spec.multiple) throw new UsageError(`--${name} is given twice.`);
  texts.set(name, [...before, value]);
}

function argumentsOf(
  texts: ReadonlyMap<string, readonly string[]>,
  positionals: readonly string[],
  rest: readonly string[],
): Arguments {
  return {
    text: (option) => texts.get(option)?.[0],
    texts: (option) => texts.get(option) ?? [],
    flag: (option) => texts.has(option),
    positionals,
    rest,
  };
}

async function unknownOption(written: string, known: readonly string[]): Promise<UsageError> {
  const { nearest } = await import("./nearest.ts");
  const suggestion = nearest(written.replace(/^-+/, ""), known);
  return new UsageError(
    `There is no option ${written}.`,
    suggestion === undefined ? undefined : `Did you mean --${suggestion}?`,
  );
}

function checkPositionals(command: Command, given: readonly string[], restGiven: boolean): void {
  const names = command.positionals ?? [];
  const required = names.filter((name) => !name.startsWith("["));
  if (given.length > names.length) {
    const remedy = "Put the command to run after --, as in: keyloan run --build <id> -- npm test";
    throw new UsageError(
      `Unexpected argument "${given[names.length]}".`,
      command.passesRest ? remedy : undefined,
    );
  }
  if (given.length < required.length) throw new UsageError(`The ${required[given.length]} is missing.`);
  if (restGiven && !command.passesRest) throw new UsageError("This command takes no arguments after --.");
}
