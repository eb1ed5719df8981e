import { type DeclaresVariables, declarationOf } from "./declared-variable.ts";
import { namesInEnvFile } from "./env-file.ts";

export type MissingVariable = {
  readonly name: string;
  /** Whether a connector declares that the app runs without it. False for names that no connector declares. */
  readonly optional: boolean;
  /** What the app lacks without it, in one sentence. */
  readonly ifUnset?: string;
  /** The value that most apps use. */
  readonly default?: string;
};

export type ExampleComparison = {
  /** Variables that are in the example, but not among the names. */
  readonly missing: readonly MissingVariable[];
  /** Names that are not in the example. */
  readonly extra: readonly string[];
  readonly present: readonly string[];
};

/**
 * Which variables of a `.env.example` an environment has.
 * @param names the variables that are set to something
 * @param connectors their declarations say what happens without a missing variable
 */
export function compareWithExample(
  exampleText: string,
  names: Iterable<string>,
  connectors: readonly DeclaresVariables[] = [],
): ExampleComparison {
  const given = new Set(names);
  const wanted = [...namesInEnvFile(exampleText).keys()];
  const known = new Set(wanted);
  return {
    missing: wanted.filter((name) => !given.has(name)).map((name) => missingVariable(name, connectors)),
    extra: [...given].filter((name) => !known.has(name)),
    present: wanted.filter((name) => given.has(name)),
  };
}

function missingVariable(name: string, connectors: readonly DeclaresVariables[]): MissingVariable {
  const variable = declarationOf(connectors, name);
  const own = variable?.own;
  return {
    name,
    optional: variable?.optional === true || own?.kind === "default" || own?.kind === "absent",
    ...(variable?.ifUnset === undefined ? {} : { ifUnset: variable.ifUnset }),
    ...(own?.kind === "default" ? { default: own.value } : {}),
  };
}
