import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { parseGithubEnvFile } from "./testing/github-env-file.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";

const lineOf = (value: string, name = "VALUE") => [{ name, value: Secret.of(value) }];

describe.each([
  ["Linux and macOS", false],
  ["Windows", true],
])("by the runner's documented rules on %s", (_system, windows) => {
  test("every hostile value that is not refused is read back, and no other variable", () => {
    const { expected, text } = renderCarried(hostileValues, "github");
    expect(parseGithubEnvFile(text, { windows })).toEqual(expected);
  });

  test("any values are, also behind what earlier steps have written", () => {
    fc.assert(
      fc.property(troubledValues, (values) => {
        const { expected, text } = renderCarried(values, "github");
        const file = `EARLIER=1\nOTHER<<EOF\na\nEOF\n${text}`;
        expect(parseGithubEnvFile(file, { windows })).toEqual({ EARLIER: "1", OTHER: "a", ...expected });
      }),
      { seed },
    );
  });

  test("a value that holds its own delimiter as a line is read back", () => {
    const randomId = () => "same";
    const value = "a\nkeyloan_same\nINJECTED=1\r\nkeyloan_same_\r\nkeyloan_same__x";
    const text = renderEnv(lineOf(value), { format: "github", randomId });
    expect(parseGithubEnvFile(text, { windows })).toEqual({ VALUE: value });
  });
});

test("no two delimiters are alike, and nobody can guess them", () => {
  const text = renderEnv([...lineOf("x", "A"), ...lineOf("x", "B")], { format: "github" });
  const delimiters = [...text.matchAll(/<<(.*)$/gm)].map(([, delimiter]) => delimiter);
  expect(new Set(delimiters).size).toBe(2);
  expect(delimiters.every((delimiter) => /^keyloan_[0-9a-f-]{36}$/.test(delimiter ?? ""))).toBe(true);
});

test.each([
  ["a carriage return at the end", "ends\r", "carriage_return"],
  ["NUL", "a\0b", "nul"],
  ["half a surrogate pair", "\udfff", "not_text"],
])("a value with %s is refused", (_what, value, code) => {
  expect(refusal(value, "github")).toBe(code);
});

test("nothing else of the corpus is", () => {
  const refused = hostileValues.filter((value) => refusal(value, "github") !== undefined);
  expect(refused).toEqual(["\r", "ends\r", "nul\0inside", "\ud800"]);
});

test.each(["NODE_OPTIONS", "node_options", "GITHUB_TOKEN", "RUNNER_TEMP"])(
  "the name %s is refused, which the runner keeps for itself",
  (name) => {
    expect(() => renderEnv(lineOf("x", name), { format: "github" })).toThrow(
      expect.objectContaining({ code: "bad_name", variable: name }),
    );
  },
);
