import type { FieldSpec, SecretValues } from "@keyloan/contract";

/** Fields to ask the provider about; the credential in it is dead when one of `refusedBy` is refused. */
export type CredentialProbe = { readonly fields: SecretValues; readonly refusedBy: readonly string[] };

/**
 * What has to be asked to know that a replaced org key is dead. The required fields work together and are one
 * credential; each optional secret is one of its own, tried beside a key that works so that nothing else can be
 * what is refused. A secret that the key in use shares with the old one is no part of it: it must live on.
 * @param current the key in use, if there is one
 * @returns nothing when the key in use holds every secret of the old one
 */
export function credentialProbes(
  specs: readonly FieldSpec[],
  old: SecretValues,
  current: SecretValues | undefined,
): readonly CredentialProbe[] {
  const secrets = specs.filter(({ name, secret }) => secret && old[name] !== undefined);
  const changed = secrets.filter(({ name }) => !areSame(old, current, name));
  const probes: CredentialProbe[] = [];
  if (changed.some(({ optional }) => optional !== true)) {
    const optional = secrets.filter((spec) => spec.optional === true).map(({ name }) => name);
    const refusedBy = specs.filter((spec) => isCredential(spec) && spec.optional !== true);
    probes.push({ fields: without(old, optional), refusedBy: refusedBy.map(({ name }) => name) });
  }
  for (const { name, optional } of changed) {
    const value = old[name];
    if (optional !== true || value === undefined) continue;
    if (namesSamePlace(specs, old, current)) {
      probes.push({ fields: { ...current, [name]: value }, refusedBy: [name] });
    } else {
      // A refusal of a whole key tells that no part of it is accepted (`Connector.validateOrgKey`).
      probes.push({ fields: old, refusedBy: specs.filter(isCredential).map((spec) => spec.name) });
    }
  }
  return probes;
}

const isCredential = ({ secret, identifies }: FieldSpec) => secret || identifies === true;

function areSame(a: SecretValues, b: SecretValues | undefined, name: string): boolean {
  return b !== undefined && a[name]?.reveal() === b[name]?.reveal();
}

/** Elsewhere a credential would be refused though it lives. */
function namesSamePlace(
  specs: readonly FieldSpec[],
  old: SecretValues,
  current: SecretValues | undefined,
): boolean {
  return specs.every((spec) => isCredential(spec) || areSame(old, current, spec.name));
}

function without(values: SecretValues, names: readonly string[]): SecretValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
