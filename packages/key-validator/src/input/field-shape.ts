import type { FieldSpec } from "@keyloan/contract";
import { literalPrefixes } from "./literal-prefixes.ts";

/** Whether a text has the form of a field's values; a field without a pattern takes any. */
export function matchesField(field: FieldSpec, text: string): boolean {
  return field.pattern === undefined || new RegExp(field.pattern, "u").test(text);
}

/** The one other field whose values begin as this text does and that it fits whole; for certain, or not at all. */
export function ownerOf<T extends FieldSpec>(fields: readonly T[], field: T, text: string): T | undefined {
  const owners = fields.filter(
    (other) =>
      other.name !== field.name && literalPrefixes(other.pattern).length > 0 && matchesField(other, text),
  );
  return owners.length === 1 ? owners[0] : undefined;
}

/** "starts with `a` or `b`", "looks like …", or nothing when the spec tells neither. */
export function describeShape(field: FieldSpec): string {
  const prefixes = literalPrefixes(field.pattern);
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

export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
