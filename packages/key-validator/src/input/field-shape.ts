import {
  beginningsOf,
  type FieldSpec,
  findOwner,
  fitsField,
  type KeyMode,
  keyModeOf,
  type Secret,
} from "@keyloan/contract";

/** The one other field whose values begin as this text does and whose form it has; `undefined` if that is uncertain. */
export function ownerOf<T extends FieldSpec>(fields: readonly T[], field: T, text: string): T | undefined {
  const owner = fitsField(field, text) ? undefined : findOwner(field, text, fields, [])?.field;
  return fields.find((each) => each === owner);
}

/** The mode that a value's beginning shows; `undefined` if it shows none, or there is no value. */
export function modeOfSecret(field: FieldSpec, value: Secret | undefined): KeyMode | undefined {
  return value === undefined ? undefined : keyModeOf(field, value.reveal());
}

/** "starts with a or b", "looks like …", or an empty text if the spec says neither. */
export function describeShape(field: FieldSpec): string {
  const prefixes = beginningsOf(field);
  if (prefixes.length > 0 && prefixes.length <= 6) return `starts with ${listWords(prefixes)}`;
  return field.example === undefined ? "" : `looks like ${field.example}`;
}

/** Tells the user how to get a field's value right. */
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
