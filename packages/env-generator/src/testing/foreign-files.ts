import fc from "fast-check";

const pieces = [
  "PORT=3000",
  "export MODE_OF_APP=production",
  "NAME = 'quoted' # why",
  "EMPTY=",
  "EMPTY_2=''",
  "COLON: value",
  "DOTTED.NAME=1",
  "  INDENTED=1  ",
  "# comment",
  "#A='",
  "",
  "   ",
  "bare",
  "two words",
  "it's",
  "IT=it's",
  "MIXED='a\"b'",
  'JSON={"a":"b"}',
  "URL=libsql://x?y=1#z",
  'LINES="a\nb"',
  "LINES_2='a\nB=1\n# <<< keyloan <<<\n'",
  "TICKS=`a\nb`",
  "OPEN='a",
  'ESCAPED="a\\"b"',
  'ESCAPED_2="a\\"\nb"',
  "TAIL='a'b",
  "TAIL_2='a\nb' c",
  "=x",
  "'",
  '"',
  "# >>> keyloan",
  "# <<< keyloan <<<",
  "KEYLOAN_TEST_1=mine",
];

/** Files as people write them, and as nobody should. Every name stands in one piece only. */
export const foreignFiles = fc
  .tuple(
    fc.uniqueArray(fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...pieces) }, fc.string()), {
      maxLength: 8,
    }),
    fc.constantFrom("\n", "\n", "\r\n"),
    fc.boolean(),
  )
  .map(([lines, lineEnd, hasFinalLineEnd]) => {
    return lines.join(lineEnd) + (hasFinalLineEnd && lines.length > 0 ? lineEnd : "");
  });
