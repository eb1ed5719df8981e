import {
  type EnvVarSpec,
  findVariable,
  fitsField,
  type PastedEntry,
  parsePastedEnv,
  type Repair,
  Secret,
  type SecretValues,
} from "@keyloan/contract";
import { cleanText, withoutInvisible } from "./clean-text.ts";
import { ownerOf } from "./field-shape.ts";

export type RepairedInput = { readonly values: SecretValues; readonly repairs: readonly Repair[] };

type Draft = { readonly texts: Map<string, string>; readonly repairs: Repair[] };

/**
 * Repairs what happens to values when people copy them from page to page: white space, quotes, whole `NAME=value`
 * lines, another name of the same variable, a value in another field of the same connector.
 * Repairs only what is certain, and reports each repair without the value; blank values are left out.
 */
export function repairInput(variables: readonly EnvVarSpec[], given: SecretValues): RepairedInput {
  const draft: Draft = { texts: new Map(), repairs: [] };
  const spread: PastedEntry[] = [];
  for (const [name, value] of Object.entries(given)) {
    const target = variableNamed(variables, name);
    const lines = target === undefined ? [] : readLines(variables, target, value.reveal());
    if (target === undefined || lines.length === 0) {
      keep(draft, target, name, value.reveal());
      continue;
    }
    const own = lines.find((line) => variableNamed(variables, line.name)?.name === target.name);
    spread.push(...lines.filter((line) => line !== own));
    if (own !== undefined) {
      keep(draft, target, name, own.value);
      draft.repairs.push({ name, message: "Only the value from the pasted line was kept." });
    }
  }
  for (const line of spread) fillBlank(draft, variables, line);
  moveMisplaced(draft, variables);
  const kept = [...draft.texts].filter(([, text]) => text !== "");
  return {
    values: Object.fromEntries(kept.map(([name, text]) => [name, Secret.of(text)])),
    repairs: draft.repairs,
  };
}

/** Finds a variable. A member of a family counts as a separate variable, under its own name. */
function variableNamed(variables: readonly EnvVarSpec[], name: string): EnvVarSpec | undefined {
  const variable = findVariable(variables, name);
  return variable?.family === true ? { ...variable, name, optional: true } : variable;
}

/** The lines of a pasted text that name variables of this connector, or one line whose value fits the target. */
function readLines(
  variables: readonly EnvVarSpec[],
  target: EnvVarSpec,
  text: string,
): readonly PastedEntry[] {
  if (!/[=:]/u.test(text)) return [];
  const { entries } = parsePastedEnv(withoutInvisible(text));
  const known = entries.filter(({ name }) => variableNamed(variables, name) !== undefined);
  if (known.length > 0) return known;
  const [only, ...others] = entries;
  // A line with an unknown name counts only if its value, and nothing else, can be meant.
  if (only === undefined || others.length > 0 || target.pattern === undefined) return [];
  const fits = (candidate: string) => fitsField(target, cleanText(target, candidate).text);
  return !fits(text) && fits(only.value) ? [{ name: target.name, value: only.value }] : [];
}

function keep(draft: Draft, target: EnvVarSpec | undefined, name: string, text: string): void {
  const clean = target === undefined ? { text, notes: [] } : cleanText(target, text);
  const kept = target?.name ?? name;
  // The variable's own name takes precedence over its other names, and any value over none.
  if ((kept !== name || clean.text === "") && (draft.texts.get(kept) ?? "") !== "") return;
  draft.texts.set(kept, clean.text);
  if (clean.text === "") return;
  for (const message of clean.notes) draft.repairs.push({ name: kept, message });
}

function fillBlank(draft: Draft, variables: readonly EnvVarSpec[], line: PastedEntry): void {
  const target = variableNamed(variables, line.name);
  if (target === undefined || (draft.texts.get(target.name) ?? "") !== "") return;
  const { text } = cleanText(target, line.value);
  if (text === "") return;
  draft.texts.set(target.name, text);
  draft.repairs.push({
    name: target.name,
    message: "Filled from a line that you pasted into another field.",
  });
}

/** Moves values to fields that they fit. Each move puts one value in place, so there are at most as many as fields. */
function moveMisplaced(draft: Draft, variables: readonly EnvVarSpec[]): void {
  for (const field of variables) {
    const text = draft.texts.get(field.name) ?? "";
    if (text === "" || fitsField(field, text)) continue;
    const owner = ownerOf(variables, field, text) ?? exchangeWith(draft, variables, field, text);
    if (owner === undefined) continue;
    const other = draft.texts.get(owner.name) ?? "";
    if (other !== "" && (fitsField(owner, other) || !fitsField(field, other))) continue;
    draft.texts.set(owner.name, text);
    draft.texts.set(field.name, other);
    const message =
      other === ""
        ? `This value was pasted under “${field.label}”.`
        : `This value and that of “${field.label}” were swapped.`;
    draft.repairs.push({ name: owner.name, message });
  }
}

/** The one other field whose value fits here but not there, while this field's text fits there but not here. */
function exchangeWith(
  draft: Draft,
  variables: readonly EnvVarSpec[],
  field: EnvVarSpec,
  text: string,
): EnvVarSpec | undefined {
  const partners = variables.filter((other) => {
    const theirs = draft.texts.get(other.name) ?? "";
    return (
      other !== field &&
      theirs !== "" &&
      !fitsField(other, theirs) &&
      fitsField(other, text) &&
      fitsField(field, theirs)
    );
  });
  return partners.length === 1 ? partners[0] : undefined;
}
