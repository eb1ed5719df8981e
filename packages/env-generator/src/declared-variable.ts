import {
  type Begins,
  findVariable,
  type NamedVariable,
  type OwnValue,
  publicPrefixes,
} from "@keyloan/contract";

/** The parts of a variable's declaration that are used here; connector specs and catalog entries have them. */
export type DeclaredVariable = NamedVariable & {
  readonly secret: boolean;
  readonly pattern?: string | undefined;
  readonly begins?: Begins | undefined;
  readonly optional?: boolean | undefined;
  readonly ifUnset?: string | undefined;
  readonly own?: OwnValue | undefined;
};

export type DeclaresVariables = { readonly env: readonly DeclaredVariable[] };

/** The declaration that a written name comes from. */
export function declarationOf(
  connectors: readonly DeclaresVariables[],
  name: string,
): DeclaredVariable | undefined {
  return findVariable(variablesOf(connectors), name);
}

/** The same, also for a public name made from a declared name, even if the declaration does not allow that. */
export function declarationBehind(
  connectors: readonly DeclaresVariables[],
  publicName: string,
): DeclaredVariable | undefined {
  const prefix =
    Object.values(publicPrefixes).find((each) => each !== "" && publicName.startsWith(each)) ?? "";
  return declarationOf(connectors, publicName) ?? declarationOf(connectors, publicName.slice(prefix.length));
}

export function variablesOf(connectors: readonly DeclaresVariables[]): readonly DeclaredVariable[] {
  return connectors.flatMap(({ env }) => env);
}
