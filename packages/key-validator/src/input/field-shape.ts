import {
  beginningsOf,
  type FieldSpec,
  findOwner,
  fitsField,
  type KeyMode,
  keyModeOf,
  type Secret,
} from "@keyloan/contract";

/** The one other field whose values begin as this text does and that it fits whole; for certain, or not at all. */
export function ownerOf<T extends FieldSpec>(fields: readonly T[], field: T, text: string): T | undefined {
  const owner = fitsField(field, text) ? undefined : findOwner(field, text, fields, [])?.field;
  return fields.find((each) => each === owner);
}

/** Which mode a value tells by its beginning; `undefined` where it tells none, or there is no value. */
export function modeOfSecret(field: FieldSpec, value: Secret | undefined): KeyMode | undefined {
  return value === undefined ? undefined : keyModeOf(field, value.reveal());
}

/** "starts with `a` or `b`", "looks like …", or nothing when the spec tells neither. */
export function describeShape(field: FieldSpec): string {
  const prefixes = beginningsOf(field);
  if (prefixes.length > 0 && prefixes.length <= 6) return `starts with ${listWords(prefixes)}`;
  return field.example === undefined ? "" : `looks like ${field.example}`;
}

/** How to get a field's value right. */
export function remedyOf(field: FieldSpec): string {
  const shape = describeShape(field);
  const described = shape === "" ? (field.help ?? "") : `It ${shape}.`;
  const link = field.helpUrl === undefined ? "" : `Find it at ${field.helpUrl}`;
  return [`Copy the whole value of “${field.label}”.`, described, link]
    .filter((part) => part !== "")
    .join(" ");
}

function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
