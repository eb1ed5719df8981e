import { fieldOf, type Service, type Variable } from "./services.ts";

/** Typed values by variable name; what is empty is as if it were not there. */
export type Draft = Readonly<Record<string, string>>;

export type FieldProblem = {
  readonly name: string;
  readonly message: string;
  /** Another field that the value fits, when there is exactly one. */
  readonly belongsTo?: Variable;
};

/** What can be told of typed values before they are sent: what is missing, and what looks wrong. */
export function checkDraft(service: Service, draft: Draft): FieldProblem[] {
  const missing = service.needed
    .filter(({ name }) => isEmpty(draft[name]))
    .map(({ name, label }) => ({ name, message: `Enter the ${lowerFirst(label)}.` }));
  const misshapen = Object.entries(draft).flatMap(([name, value]) => {
    const variable = fieldOf(service, name);
    if (variable === undefined || isEmpty(value) || fits(variable, value)) return [];
    return [explainShape(service, variable, name, value)];
  });
  const order = [...service.needed, ...service.extra].map(({ name }) => name);
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...missing, ...misshapen].sort((a, b) => place(a.name) - place(b.name));
}

/** The values to send: trimmed, and without what is empty. */
export function filledValues(draft: Draft): Record<string, string> {
  return Object.fromEntries(
    Object.entries(draft)
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value !== ""),
  );
}

export function isDirty(draft: Draft | undefined): boolean {
  return draft !== undefined && Object.values(draft).some((value) => !isEmpty(value));
}

function explainShape(service: Service, variable: Variable, name: string, value: string): FieldProblem {
  const owners = [...service.needed, ...service.extra].filter(
    (other) => other.name !== name && other.pattern !== undefined && fits(other, value),
  );
  const owner = owners.length === 1 ? owners[0] : undefined;
  if (owner !== undefined) {
    return { name, message: `This is a ${lowerFirst(owner.label)}.`, belongsTo: owner };
  }
  const example = variable.example === undefined ? "" : ` It looks like ${variable.example}`;
  return { name, message: `This does not look like a ${lowerFirst(variable.label)}.${example}` };
}

function fits({ pattern }: Variable, value: string): boolean {
  return pattern === undefined || new RegExp(pattern, "u").test(value.trim());
}

function isEmpty(value: string | undefined): boolean {
  return value === undefined || value.trim() === "";
}

/** "Secret key" within a sentence; what is written in capitals stays so. */
export function lowerFirst(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
