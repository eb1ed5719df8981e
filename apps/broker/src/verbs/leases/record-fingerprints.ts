import type { FieldSpec, SecretValues } from "@keyloan/contract";
import type { Tables } from "@keyloan/store";
import type { Deps } from "../../deps.ts";

/** Remembers by keyed hash which secrets were handed out, in the transaction that records them. */
export async function recordFingerprints(
  deps: Pick<Deps, "fingerprint" | "now">,
  tables: Tables,
  entityId: string,
  specs: readonly (FieldSpec & { readonly family?: boolean })[],
  values: SecretValues,
): Promise<void> {
  const isSecret = (name: string) =>
    specs.some(
      (spec) => spec.secret && (spec.family === true ? name.startsWith(spec.name) : name === spec.name),
    );
  await tables.fingerprints.insertNew(
    Object.entries(values).flatMap(([variable, value]) =>
      isSecret(variable)
        ? [{ fingerprint: deps.fingerprint.ofValue(value), entityId, variable, createdAt: deps.now() }]
        : [],
    ),
  );
}
