import { describe, expect, it } from "vitest";
import { parsePastedEnv } from "./pasted-env.ts";

const read = (text: string) =>
  Object.fromEntries(parsePastedEnv(text).entries.map(({ name, value }) => [name, value]));

describe("parsePastedEnv", () => {
  it.each([
    ["a plain line", "A=1", { A: "1" }],
    ["Windows line ends", "A=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["old Mac line ends", "A=1\rB=2", { A: "1", B: "2" }],
    ["a byte order mark", "\uFEFFA=1", { A: "1" }],
    ["export", "export A=1", { A: "1" }],
    ["white space around", "  A =  1  ", { A: "1" }],
    ["a colon", "A: 1", { A: "1" }],
    ["an address after a colon-free name", "A=https://x.test:8080/y?z=1", { A: "https://x.test:8080/y?z=1" }],
    ["an empty value", "A=\nB=2", { A: "", B: "2" }],
    ["comments and empty lines", "# one\n\n  # two\nA=1 # three", { A: "1" }],
    ["only a comment as value", "A= # nothing", { A: "" }],
    ["a hash inside a value", "A=a#b", { A: "a#b" }],
    ["equals signs in a value", "A=YWI=\nB=a=b=c", { A: "YWI=", B: "a=b=c" }],
    ["double quotes", 'A="a # b"', { A: "a # b" }],
    ["single quotes", "A='a \"b\" \\n'", { A: 'a "b" \\n' }],
    ["backticks", "A=`a 'b'`", { A: "a 'b'" }],
    ["escaped line ends in double quotes", 'A="a\\nb"', { A: "a\nb" }],
    [
      "a value over several lines",
      'A="-----BEGIN\nabc\n-----END" # key\nB=2',
      { A: "-----BEGIN\nabc\n-----END", B: "2" },
    ],
    ["quotes inside quotes", 'A="it "is" so"', { A: 'it "is" so' }],
    ["a dollar sign", "A=a$b$c", { A: "a$b$c" }],
    ["a name given twice", "A=1\nA=2", { A: "2" }],
    [
      "a JSON object",
      '{"A": "1", "B": 2, "C": true, "D": null, "E": {"F": 1}}',
      { A: "1", B: "2", C: "true" },
    ],
  ])("reads %s", (_what, text, expected) => {
    expect(read(text)).toEqual(expected);
    expect(parsePastedEnv(text).ignored).toEqual([]);
  });

  it.each([
    ["prose", "here are my keys\nA=1", 1, "not_a_variable"],
    ["a name that is none", "A=1\n1B=2", 2, "not_a_variable"],
    ["broken JSON", '{"A": 1', 1, "not_a_variable"],
    ["a quote that nobody closes", 'A="abc', 1, "unclosed_quote"],
    ["text after a closed quote", "A='abc' def", 1, "unclosed_quote"],
  ])("tells the line of %s and never its text", (_what, text, line, reason) => {
    expect(parsePastedEnv(text).ignored).toEqual([{ line, reason }]);
  });

  it("loses no other line to a quote that nobody closes", () => {
    expect(read(`A="abc\nB=2`)).toEqual({ B: "2" });
    expect(read(`A="abc\nB="def"`)).toEqual({ B: "def" });
  });

  it("keeps names that objects have by themselves as plain entries", () => {
    expect(parsePastedEnv("__proto__=1\nconstructor=2").entries).toEqual([
      { name: "__proto__", value: "1" },
      { name: "constructor", value: "2" },
    ]);
  });

  it.each([
    ["opened quotes", 'A="x\n'.repeat(20_000)],
    ["white space", `A=${" ".repeat(200_000)}x`],
    ["hashes", "#".repeat(200_000)],
    ["names", "A".repeat(200_000)],
  ])("takes little time for a hostile text of %s", (_what, text) => {
    const begun = performance.now();
    parsePastedEnv(text);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});
