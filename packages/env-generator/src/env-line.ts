import type { ConnectorSpec, Secret } from "@keyloan/contract";
import { EnvFormatError } from "./env-format-error.ts";

/** What the comment before a group of lines says, if the format has comments. A connector's spec is one. */
export type EnvGroup = Pick<ConnectorSpec, "label" | "grade">;

/** One variable as it will be written. */
export type EnvLine = {
  readonly name: string;
  readonly value: Secret;
  readonly group?: EnvGroup;
};

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/**
 * Refuses names that some reader of some format would not find again.
 * @throws EnvFormatError `bad_name` or `duplicate_name`
 */
export function checkNames(lines: readonly EnvLine[]): void {
  const seen = new Set<string>();
  for (const { name } of lines) {
    // Readers put names into plain objects, where `__proto__` does not work as a name.
    if (!namePattern.test(name) || name === "__proto__") {
      throw new EnvFormatError(
        "bad_name",
        name,
        "is not a variable name.",
        "Use letters, digits and underscores, and do not start with a digit.",
      );
    }
    if (seen.has(name)) throw duplicateName(name);
    seen.add(name);
  }
}

export function duplicateName(name: string): EnvFormatError {
  return new EnvFormatError(
    "duplicate_name",
    name,
    "would be written twice with different values.",
    "Leave out the copy set that names it, or one of the two connectors.",
  );
}
