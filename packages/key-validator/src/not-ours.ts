import type { FieldSpec, Secret, SecretValues, ValidationResult } from "@keyloan/contract";

/** Whether a value was lent to a build or is the org's own; compares keyed fingerprints, never values. */
export type IsOurs = (value: Secret) => boolean | Promise<boolean>;

/** The names of the secret values that are ours, lent or the org's own. */
export async function findOurs(
  fieldOf: (name: string) => FieldSpec | undefined,
  values: SecretValues,
  isOurs: IsOurs,
): Promise<readonly string[]> {
  const secrets = Object.entries(values).filter(([name]) => fieldOf(name)?.secret === true);
  const answers = await Promise.all(
    secrets.map(async ([name, value]) => ((await isOurs(value)) ? [name] : [])),
  );
  return answers.flat();
}

/** The answer to somebody who enters a key of ours as their own. */
export function refuseOurs(name: string, field: FieldSpec | undefined): ValidationResult {
  const link = field?.helpUrl === undefined ? "" : ` You can find yours at ${field.helpUrl}`;
  return {
    status: "invalid",
    envVar: name,
    code: "ours",
    message: "This is the key we lent you; it ends when you leave.",
    remedy: `Make a key in your own account and paste that one.${link}`,
  };
}
