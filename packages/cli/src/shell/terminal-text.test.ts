import { expect, test } from "vitest";
import { printable, printableJson } from "./terminal-text.ts";

// As Unicode lists the property Bidi_Control.
const turns = [
  "061c",
  "200e",
  "200f",
  "202a",
  "202b",
  "202c",
  "202d",
  "202e",
  "2066",
  "2067",
  "2068",
  "2069",
];

test.each(turns)("U+%s, which turns the direction of text around, is shown as what it is", (code) => {
  const character = String.fromCodePoint(Number.parseInt(code, 16));
  expect(printable(`a${character}b`)).toBe("a\ufffdb");
  expect(printableJson({ a: character })).toContain(`\\u${code}`);
});
