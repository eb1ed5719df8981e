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

/** Files as people write them, and as nobody should. Every name occurs in one piece only. */
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

const plainLines = [
  "",
  " \t",
  "# don't touch",
  "\t #\u00a0it's",
  "PORT=3000",
  "EMPTY=",
  "EMPTY= # it's",
  "URL=libsql://x:1/y # it's",
  "export MODE=a,b\t# it's",
  "  SPACED=' a #b ' # it's",
  "TEXT=\"it's #1; it's\"",
  "EMPTY_2=''",
  "REGEX='\\d+$`x`\"'",
  "TEXT_3='a\nIT=\"b\n# c\n'",
  "TEXT_4=\"a\n'\n\" # it's",
];

const signs = [
  ...("'\"`\\$#=(){}[]<>;&|~!*%:,. \t\n\r\v\f\0aA1" + "\u00a0\u0085\u2028\u2029\uFEFF"),
  "\\\n",
  "\\'",
  "$'",
  "$(",
  "<<X ",
  ":=",
  "histchars=!^%",
];

/** Files of lines that every reader understands alike, with signs inserted anywhere that may entangle the lines. */
export const entangledFiles = fc
  .tuple(
    fc.array(fc.constantFrom(...plainLines), { minLength: 1, maxLength: 6 }),
    fc.constantFrom("\n", "\r\n"),
    fc.constantFrom("\n", ""),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...signs)), { maxLength: 2 }),
  )
  .map(([lines, lineEnd, finalLineEnd, insertions]) => {
    const plain = (lines.join("\n") + finalLineEnd).replaceAll("\n", lineEnd);
    return insertions.reduce((text, [place, sign]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + sign + text.slice(at);
    }, plain);
  });
