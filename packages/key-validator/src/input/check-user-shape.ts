import {
  type ConnectorSpec,
  type EnvVarSpec,
  type FieldSpec,
  findOwner,
  findVariable,
  fitsField,
  type SecretValues,
  type TextOwner,
  type ValidationResult,
} from "@keyloan/contract";
import { describeShape, remedyOf } from "./field-shape.ts";

/** The providers whose keys can be recognized as theirs. */
export type KnownSpecs = readonly Pick<ConnectorSpec, "label" | "orgFields" | "env">[];

type Malformed = Extract<ValidationResult, { status: "invalid" }>;

/**
 * Finds problems of a user's values without calling the provider, in words for someone who sees such keys for the
 * first time: unknown names, missing values, and values of the wrong form.
 */
export function checkUserShape(
  variables: readonly EnvVarSpec[],
  values: SecretValues,
  known: KnownSpecs = [],
): ValidationResult | undefined {
  const stranger = Object.keys(values).find((name) => findVariable(variables, name) === undefined);
  if (stranger !== undefined) {
    const known = variables.map(({ name }) => name).join(", ");
    return malformed(stranger, "This service has no variable with this name.", `Give: ${known}.`);
  }
  const [missing] = findMissing(variables, values);
  if (missing !== undefined) return explainMissing(missing);
  return findMisshapen(variables, values, known)[0];
}

/** The variables that need a value but have none, or a blank one. */
export function findMissing(variables: readonly EnvVarSpec[], values: SecretValues): readonly EnvVarSpec[] {
  return variables.filter(
    ({ name, family, optional }) => family !== true && optional !== true && !hasValue(values, name),
  );
}

/** Whether there is a value of that name that is not only white space. */
export function hasValue(values: SecretValues, name: string): boolean {
  return Object.hasOwn(values, name) && values[name]?.reveal().trim() !== "";
}

export function explainMissing(variable: EnvVarSpec): Malformed {
  return malformed(variable.name, `“${variable.label}” is missing.`, remedyOf(variable));
}

/** Every value that does not have the form of its variable, with what it is instead if that is certain. */
export function findMisshapen(
  variables: readonly EnvVarSpec[],
  values: SecretValues,
  known: KnownSpecs = [],
): readonly Malformed[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const variable = findVariable(variables, name);
    if (variable === undefined) return [];
    return misfit({ ...variable, name }, value.reveal(), variables, known) ?? [];
  });
}

/** What is wrong with a text as a field's value; `undefined` if it may be one. */
export function misfit(
  field: FieldSpec & Partial<Pick<EnvVarSpec, "exposure" | "role">>,
  text: string,
  neighbours: readonly FieldSpec[],
  known: KnownSpecs,
): Malformed | undefined {
  const owner = findOwner(field, text, neighbours, known);
  if (owner !== undefined) return explainOwner(field, owner);
  return fitsField(field, text) ? undefined : explainMisfit(field, text);
}

function explainOwner(
  field: FieldSpec & Partial<Pick<EnvVarSpec, "exposure">>,
  { field: { label, secret }, label: provider }: TextOwner,
): Malformed {
  const shape = describeShape(field);
  const whose = provider === undefined ? "" : ` of ${provider}`;
  const own = shape === "" ? "" : `; “${field.label}” ${shape}`;
  const shown =
    secret && field.exposure === "browser"
      ? ", which browsers would see: if that ever happened, make a new one"
      : "";
  return malformed(field.name, `This is “${label}”${whose}${shown}${own}.`, remedyOf(field));
}

function explainMisfit(field: FieldSpec & Partial<Pick<EnvVarSpec, "role">>, text: string): Malformed {
  if (/[…•●∙*]{2,}|…|\.{3}|^<.*>$|^x{4,}$|^\[.*\]$/iu.test(text)) {
    const remedy = `Reveal the value at the provider first, then copy it. ${remedyOf(field)}`;
    return malformed(field.name, "This is a placeholder, or the middle of the value is hidden.", remedy);
  }
  if (/\s/u.test(text)) {
    return malformed(field.name, "There is a space or a line break inside the value.", remedyOf(field));
  }
  if (field.role === "address" && !text.includes("://")) {
    return malformed(
      field.name,
      `“${field.label}” must be a complete address, including the part before ://.`,
      remedyOf(field),
    );
  }
  return malformed(
    field.name,
    `This does not look like “${field.label}”; a part may be missing.`,
    remedyOf(field),
  );
}

function malformed(envVar: string, message: string, remedy: string): Malformed {
  return { status: "invalid", envVar, code: "malformed", message, remedy };
}
