import { findVariable, parsePastedEnv } from "@keyloan/contract";
import type { Draft } from "./check-draft.ts";
import { cleanValue } from "./clean-value.ts";
import type { Service, Variable } from "./services.ts";

export type PastedValues = {
  /** Values by service and variable. */
  readonly found: Readonly<Record<string, Draft>>;
  readonly fieldCount: number;
  /** Names that no field of this app has. */
  readonly unknown: readonly string[];
  /** Names whose values are made anew, or exist only while keys are lent. */
  readonly unneeded: readonly string[];
  /** Names whose value was left out because another name of the same field says otherwise. */
  readonly doubled: readonly string[];
  readonly unreadableLines: readonly number[];
};

/** Sorts pasted lines into the fields they are for. */
export function readPasted(text: string, services: readonly Service[]): PastedValues {
  const { entries, ignored } = parsePastedEnv(text);
  const found: Record<string, Record<string, string>> = {};
  const unknown: string[] = [];
  const unneeded: string[] = [];
  const doubled: string[] = [];
  // The field's own name counts more than another name for it, wherever it stands.
  const ranked = entries.map((entry) => ({ entry, place: findPlace(entry.name, services) }));
  for (const { entry, place } of ranked.toSorted((a, b) => rank(a.place) - rank(b.place))) {
    if (place === undefined) unknown.push(entry.name);
    else if (place.kind === "unneeded") unneeded.push(entry.name);
    else if (entry.value !== "") {
      found[place.service] ??= {};
      const values = found[place.service] ?? {};
      const before = values[place.name];
      const { value } = cleanValue(entry.value, place.variable);
      if (before === undefined) values[place.name] = value;
      else if (before !== value) doubled.push(entry.name);
    }
  }
  const fieldCount = Object.values(found).reduce((sum, values) => sum + Object.keys(values).length, 0);
  return { found, fieldCount, unknown, unneeded, doubled, unreadableLines: ignored.map(({ line }) => line) };
}

/** Whether a text is lines of an env file rather than one value. */
export function looksLikeEnv(text: string): boolean {
  return /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=/m.test(text) || /^\s*\{\s*"[A-Za-z_]/.test(text);
}

type Place =
  | {
      readonly kind: "own" | "other";
      readonly service: string;
      readonly name: string;
      readonly variable: Variable;
    }
  | { readonly kind: "unneeded" };

function rank(place: Place | undefined): number {
  return place?.kind === "own" ? 0 : 1;
}

function findPlace(name: string, services: readonly Service[]): Place | undefined {
  for (const service of services) {
    const variable = findVariable([...service.needed, ...service.extra, ...service.families], name);
    if (variable === undefined) continue;
    const meant = variable.family === true ? name : variable.name;
    return { kind: meant === name ? "own" : "other", service: service.id, name: meant, variable };
  }
  return services.some(({ unasked }) => findVariable(unasked, name) !== undefined)
    ? { kind: "unneeded" }
    : undefined;
}
