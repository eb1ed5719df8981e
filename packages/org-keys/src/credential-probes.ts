import type { FieldSpec, SecretValues } from "@keyloan/contract";

/** Fields to ask the provider about; the credential in them is dead if the provider refuses a field in `refusedBy`. */
export type CredentialProbe = { readonly fields: SecretValues; readonly refusedBy: readonly string[] };

/**
 * The probes that show whether a replaced org key is dead. The required fields together are one credential. Each
 * optional secret is a credential of its own: it is tried with the fields of a key that works, so that only the secret
 * can be refused. A secret that the key in use shares with the old one is not probed, because it must keep working.
 * @param current the key in use, if there is one
 * @returns no probes if the key in use contains every secret of the old one
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
      // If a whole key is refused, no part of it is accepted (`Connector.validateOrgKey`).
      probes.push({ fields: old, refusedBy: specs.filter(isCredential).map((spec) => spec.name) });
    }
  }
  return probes;
}

const isCredential = ({ secret, identifies }: FieldSpec) => secret || identifies === true;

function areSame(a: SecretValues, b: SecretValues | undefined, name: string): boolean {
  return b !== undefined && a[name]?.reveal() === b[name]?.reveal();
}

/** Whether all fields that are not credentials are the same: with others, a working credential would be refused. */
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
