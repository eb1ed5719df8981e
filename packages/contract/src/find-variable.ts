import { publicPrefixes } from "./env-formats.ts";

/** The names by which a variable of a connector, or of the catalog, may be written. */
export type NamedVariable = {
  readonly name: string;
  readonly exposure: "server" | "browser";
  readonly aliases?: readonly string[] | undefined;
  readonly copies?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly family?: boolean | undefined;
};

/**
 * The variable that a name in somebody's `.env` means: by its own name, an alias, a copied name such as
 * `AWS_ACCESS_KEY_ID`, or the public name a framework gives it; or the family that the name belongs to.
 */
export function findVariable<T extends NamedVariable>(variables: readonly T[], name: string): T | undefined {
  const families = variables.filter(({ family }) => family === true);
  return (
    variables.find((variable) => variable.family !== true && namesOf(variable).includes(name)) ??
    families
      .filter((family) => name.startsWith(family.name) && name.length > family.name.length)
      .sort((one, other) => other.name.length - one.name.length)[0]
  );
}

/** The names that variables of two connectors would both be written under: an env holds each name once. */
export function sharedNames(one: readonly NamedVariable[], other: readonly NamedVariable[]): string[] {
  const namesIn = (variables: readonly NamedVariable[]) => variables.flatMap(namesOf);
  const shared = [
    ...namesIn(one).filter((name) => findVariable(other, name) !== undefined),
    ...namesIn(other).filter((name) => findVariable(one, name) !== undefined),
  ];
  return [...new Set(shared)];
}

function namesOf({ name, exposure, aliases = [], copies = {} }: NamedVariable): string[] {
  const names = [name, ...aliases, ...Object.values(copies).flat()];
  if (exposure !== "browser") return names;
  return [...new Set(Object.values(publicPrefixes))].flatMap((prefix) => names.map((each) => prefix + each));
}
