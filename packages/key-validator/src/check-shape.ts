import type { FieldSpec, SecretValues, ValidationResult } from "@keyloan/contract";
import { type KnownSpecs, misfit } from "./input/check-user-shape.ts";

/** Finds problems of values without calling the provider: missing ones, unknown ones, wrong forms. */
export function checkShape(
  fields: readonly FieldSpec[],
  values: SecretValues,
  known: KnownSpecs = [],
): ValidationResult | undefined {
  const unknown = Object.keys(values).find((name) => !fields.some((field) => field.name === name));
  if (unknown !== undefined) {
    return malformed(
      unknown,
      "is not a field of this connector",
      `Use these: ${fields.map(({ name }) => name).join(", ")}.`,
    );
  }
  for (const field of fields) {
    const value = values[field.name]?.reveal() ?? "";
    if (value === "") {
      if (field.optional === true) continue;
      return malformed(field.name, "is missing", remedyFor(field));
    }
    const wrong = misfit(field, value, fields, known);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function malformed(name: string, problem: string, remedy: string): ValidationResult {
  return { status: "invalid", envVar: name, code: "malformed", message: `${name} ${problem}`, remedy };
}

function remedyFor(field: FieldSpec): string {
  const example = field.example === undefined ? "" : ` It looks like ${field.example}.`;
  const link = field.helpUrl === undefined ? "" : ` Find it at ${field.helpUrl}`;
  return `Copy the whole ${field.label}.${example}${link}`;
}
