import { type FieldSpec, fitsField, trimEndOf } from "@keyloan/contract/fields";

export type CleanText = { readonly text: string; readonly notes: readonly string[] };

type Step = {
  readonly note: string;
  readonly change: (text: string) => string;
  /** `always`; `when_it_fits`: the changed text must fit the field; `when_needed`: and the text before must not. */
  readonly when: "always" | "when_it_fits" | "when_needed";
};

// Zero-width and direction marks, soft hyphens, byte order marks: no key has them; web pages and messengers add them.
const invisible = /[\u00AD\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/gu;
const quotes: readonly (readonly [string, string])[] = [
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ["“", "”"],
  ["„", "“"],
  ["‘", "’"],
  ["«", "»"],
];

const steps: readonly Step[] = [
  { note: "Invisible characters were removed.", change: removeInvisible, when: "always" },
  {
    note: "Spaces or line breaks around the value were removed.",
    change: (text) => text.trim(),
    when: "always",
  },
  {
    note: "A comma or semicolon at the end was removed.",
    change: (text) => withoutSeparators(text),
    when: "when_needed",
  },
  { note: "Quotes around the value were removed.", change: withoutQuotes, when: "when_it_fits" },
  {
    note: "The word Bearer before the value was removed.",
    change: (text) => text.replace(/^Bearer\s+/iu, ""),
    when: "when_needed",
  },
  {
    note: "A slash at the end was removed.",
    change: (text) => trimEndOf(text, "/"),
    when: "when_needed",
  },
];

/** Removes what certainly is not part of a field's value. What probably is not stays, so that it can be reported. */
export function cleanText(
  field: { readonly pattern?: FieldSpec["pattern"] | undefined },
  given: string,
): CleanText {
  // Several steps may be needed together, as for `"key",`: so the last text that was certain is remembered.
  let certain: CleanText = { text: given, notes: [] };
  let { text, notes } = certain;
  for (const { note, change, when } of steps) {
    const changed = change(text);
    if (changed === text || (when === "when_needed" && fitsField(field, text))) continue;
    text = changed;
    notes = [...notes, note];
    if (when === "always" || text === "" || fitsField(field, text)) certain = { text, notes };
  }
  return certain;
}

/** A text without invisible characters, and with plain spaces instead of characters that only look like one. */
export function withoutInvisible(text: string): string {
  return removeInvisible(text).replace(/[^\S\r\n]/gu, " ");
}

function removeInvisible(text: string): string {
  return text.replace(invisible, "");
}

function withoutSeparators(text: string): string {
  const without = trimEndOf(text, ",;");
  return without === text ? text : without.trimEnd();
}

function withoutQuotes(text: string): string {
  const pair = quotes.find(
    ([open, close]) => text.length >= 2 && text.startsWith(open) && text.endsWith(close),
  );
  return pair === undefined ? text : text.slice(1, -1).trim();
}
