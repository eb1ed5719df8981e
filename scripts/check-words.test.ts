import { expect, test } from "vitest";
import { findWords, readWordList } from "./check-words.ts";

const list = `# Title

## Words
Text.

| Not this | But this |
|---|---|
| is not meant so | is wrong |
| mend | fix |

## After
| no | word |
`;
const rules = readWordList(list);

test("the list is the table under its heading, and a missing one is an error", () => {
  expect(rules).toEqual([
    { avoid: "is not meant so", use: "is wrong" },
    { avoid: "mend", use: "fix" },
  ]);
  expect(() => readWordList("# Title\n")).toThrow("no word list");
});

test.each([
  { text: "one\nIt is not meant so.", lines: [2] },
  { text: "// It is not\n  // meant so.", lines: [1] },
  { text: "/**\n * is\n * not meant\n * so */ mend", lines: [2, 4] },
  { text: "recommend, mended, is not meant", lines: [] },
])("what is avoided is found by whole words, across lines of a comment: $text", ({ text, lines }) => {
  expect(findWords(text, rules).map(({ line }) => line)).toEqual(lines);
});
