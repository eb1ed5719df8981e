import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";
import { parseSystemdEnvFile, type SystemdVersion } from "./testing/systemd-env-file.ts";
import { hasSystemdGenerator, readWithSystemd } from "./testing/systemd-generator.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-systemd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const old: SystemdVersion = {
  dropsEveryBackslash: true,
  leavesOutControlCharacters: true,
  continuesComments: true,
};
const current: SystemdVersion = {
  dropsEveryBackslash: false,
  leavesOutControlCharacters: false,
  continuesComments: false,
};

const evilLabel = `Evil\nA=1\r\nB='2\u2028C=3\u0085"D=4\0\uffff \\`;
const underEvilLabel = renderEnv(
  [{ name: "KEYLOAN_TEST", value: Secret.of("x"), group: { label: evilLabel, grade: "B" } }],
  { format: "systemd" },
);

describe.each([
  ["an old version", old],
  ["a new version", current],
])("by systemd's documented rules in %s", (_version, version) => {
  test("every hostile value that is not refused is read back, and no other variable", () => {
    const { expected, text } = renderCarried(hostileValues, "systemd");
    expect(parseSystemdEnvFile(text, version)).toEqual(expected);
  });

  test("any values are", () => {
    fc.assert(
      fc.property(troubledValues, (values) => {
        const { expected, text } = renderCarried(values, "systemd");
        expect(parseSystemdEnvFile(text, version)).toEqual(expected);
      }),
      { seed },
    );
  });

  test("no label writes a variable", () => {
    expect(parseSystemdEnvFile(underEvilLabel, version)).toEqual({ KEYLOAN_TEST: "x" });
  });
});

// In environment.d, unlike here, an empty value unsets its variable.
const notEmpty = (values: readonly string[]) => values.filter((value) => value !== "");

describe.skipIf(!hasSystemdGenerator())("systemd's own reader", () => {
  test("gives back every hostile value that is not refused", () => {
    const { expected, text } = renderCarried(notEmpty(hostileValues), "systemd");
    expect(readWithSystemd(folder, text)).toEqual(expected);
    expect(readWithSystemd(folder, underEvilLabel)).toEqual({ KEYLOAN_TEST: "x" });
  });

  test("gives back any values", () => {
    fc.assert(
      fc.property(troubledValues, (values) => {
        const { expected, text } = renderCarried(notEmpty(values), "systemd");
        expect(readWithSystemd(folder, text)).toEqual(expected);
      }),
      { numRuns: 10, seed },
    );
  });

  test("agrees with the rules above on files that people write", () => {
    const text = [
      "KEYLOAN_TEST_1=bare value  ",
      "; comment",
      "KEYLOAN_TEST_2='single \\ \"'",
      'KEYLOAN_TEST_3="a\\"b\\\\c\\n" ',
      "KEYLOAN_TEST_4=a\\",
      "b",
      "no assignment",
      "KEYLOAN_TEST_5='a'\"b\"c ",
      "  KEYLOAN_TEST_6 = x",
    ].join("\n");
    expect(readWithSystemd(folder, text)).toEqual(parseSystemdEnvFile(text, { ...current }));
  });
});

test.each([
  ["a carriage return", "a\rb", "carriage_return"],
  ["an escape character", "\u001b[31m", "control_character"],
  ["DEL", "\u007f", "control_character"],
  ["a code point that is no character", "\uffff", "not_text"],
  ["one beyond the basic plane", "\u{1fffe}", "not_text"],
  ["NUL", "a\0b", "nul"],
  ["half a surrogate pair", "\ud800", "not_text"],
])("a value with %s is refused", (_what, value, code) => {
  expect(refusal(value, "systemd")).toBe(code);
});

test.each([
  ["lines", "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n"],
  ["all quotes, backslashes and dollar signs", "'\"`\\$HOME \u0024{x} $(id)\\"],
  ["tabs and spaces around", " \tx\t "],
  ["64 kB", "x".repeat(64 * 1024)],
])("a value with %s is carried", (_what, value) => {
  expect(refusal(value, "systemd")).toBeUndefined();
});
