import { type Service, typedFields, type Variable } from "./services.ts";

/** Typed values by variable name; what is empty is as if it were not there. */
export type Draft = Readonly<Record<string, string>>;

export type FieldProblem = { readonly name: string; readonly message: string };

/**
 * The fields that still need a value. A wrong shape is the broker's to tell: it also fixes what was pasted into
 * the wrong field, so a field is not missing while its value stands in another one.
 */
export function findMissing(service: Service, draft: Draft): FieldProblem[] {
  const misplaced = typedFields(service)
    .map((variable) => ({ variable, value: textOf(draft, variable.name) }))
    .filter(({ variable, value }) => value !== "" && !fits(variable, value))
    .map(({ value }) => value);
  return service.needed
    .filter((variable) => textOf(draft, variable.name) === "")
    .filter((variable) => !misplaced.some((value) => variable.pattern !== undefined && fits(variable, value)))
    .map(({ name, label }) => ({ name, message: `Enter the ${lowerFirst(label)}.` }));
}

/** The values to send: trimmed, and without what is empty. */
export function filledValues(draft: Draft): Record<string, string> {
  return Object.fromEntries(
    Object.keys(draft)
      .map((name) => [name, textOf(draft, name)] as const)
      .filter(([, value]) => value !== ""),
  );
}

export function isDirty(draft: Draft | undefined): boolean {
  return draft !== undefined && Object.keys(filledValues(draft)).length > 0;
}

function fits({ pattern }: Variable, value: string): boolean {
  return pattern === undefined || new RegExp(pattern, "u").test(value);
}

function textOf(draft: Draft, name: string): string {
  return draft[name]?.trim() ?? "";
}

/** "Secret key" within a sentence; what is written in capitals stays so. */
export function lowerFirst(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
