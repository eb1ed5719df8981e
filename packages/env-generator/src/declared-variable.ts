import {
  type Begins,
  findVariable,
  type NamedVariable,
  type OwnValue,
  publicPrefixes,
} from "@keyloan/contract";

/** What is asked of a variable's declaration; a connector's spec has it, and an entry of the catalog. */
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

/** The same where a public name was made of the name, which the declaration need not allow. */
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
