import { type OwnValue, publicPrefixes } from "@keyloan/contract";

/** What is asked of a variable's declaration; a connector's spec has it, and an entry of the catalog. */
export type DeclaredVariable = {
  readonly name: string;
  readonly secret: boolean;
  readonly pattern?: string | undefined;
  readonly optional?: boolean | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly copies?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly family?: boolean | undefined;
  readonly ifUnset?: string | undefined;
  readonly own?: OwnValue | undefined;
};

export type DeclaresVariables = { readonly env: readonly DeclaredVariable[] };

/** The declaration that a written name comes from: under its own name, an alias, a copy, or a public name. */
export function findVariable(
  connectors: readonly DeclaresVariables[],
  name: string,
): DeclaredVariable | undefined {
  const variables = connectors.flatMap(({ env }) => env);
  const prefixes = Object.values(publicPrefixes).filter((prefix) => prefix !== "" && name.startsWith(prefix));
  for (const candidate of [name, ...prefixes.map((prefix) => name.slice(prefix.length))]) {
    const found =
      variables.find((variable) => !variable.family && writtenNames(variable).includes(candidate)) ??
      variables
        .filter((variable) => variable.family && candidate.startsWith(variable.name))
        .sort((a, b) => b.name.length - a.name.length)[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

function writtenNames({ name, aliases = [], copies = {} }: DeclaredVariable): readonly string[] {
  return [name, ...aliases, ...Object.values(copies).flat()];
}
