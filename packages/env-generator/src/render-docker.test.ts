import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { hasDockerCli, readWithDockerCli } from "./testing/docker-cli.ts";
import { parseDockerEnvFile } from "./testing/docker-env-file.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-docker-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ["keeps quotes", false],
  ["removes quotes", true],
])("by Docker's documented rules, in a version that %s,", (_what, removesQuotes) => {
  test("every hostile value that is not refused is read back, and no other variable", () => {
    const { expected, text } = renderCarried(hostileValues, "docker");
    expect(parseDockerEnvFile(text, { removesQuotes })).toEqual(expected);
  });

  test("any values are", () => {
    fc.assert(
      fc.property(troubledValues, (values) => {
        const { expected, text } = renderCarried(values, "docker");
        expect(parseDockerEnvFile(text, { removesQuotes })).toEqual(expected);
      }),
      { seed },
    );
  });
});

describe.skipIf(!hasDockerCli())("Docker's own command line", () => {
  test("asks the engine for every hostile value that is not refused", async () => {
    const { expected, text } = renderCarried(hostileValues, "docker");
    expect(await readWithDockerCli(folder, text)).toEqual(expected);
  });

  test("takes the longest line that is not refused and no longer one", async () => {
    const line = `VALUE=${"x".repeat(65_535 - "VALUE=".length)}`;
    expect(await readWithDockerCli(folder, `${line}\n`)).toEqual({ VALUE: line.slice("VALUE=".length) });
    await expect(readWithDockerCli(folder, `${line}x\n`)).rejects.toThrow("too long");
  });

  test("does so for any values", async () => {
    await fc.assert(
      fc.asyncProperty(troubledValues, async (values) => {
        const { expected, text } = renderCarried(values, "docker");
        expect(await readWithDockerCli(folder, text)).toEqual(expected);
      }),
      { numRuns: 5, seed },
    );
  });
});

test.each([
  ["lines", "two\nlines", "newline"],
  ["a carriage return at the end", "ends\r", "carriage_return"],
  ["single quotes around it", "'quoted'", "surrounding_quotes"],
  ["double quotes around it", '"quoted"', "surrounding_quotes"],
  ["one byte more than a line holds", "x".repeat(65_535 - "VALUE=".length + 1), "too_long"],
  ["one byte more in UTF-8", "é".repeat(32_765), "too_long"],
  ["NUL", "a\0b", "nul"],
  ["half a surrogate pair", "\udfff", "not_text"],
])("a value with %s is refused", (_what, value, code) => {
  expect(refusal(value, "docker")).toBe(code);
});

test.each([
  ["spaces around", "  both sides \t"],
  ["a lone quote", "'"],
  ["quotes that differ", "'x\""],
  ["backticks around", "`x`"],
  ["a dollar sign", "\u0024{HOME}"],
  ["a comment sign in front", "#x"],
  ["all bytes of a line", "x".repeat(65_535 - "VALUE=".length)],
])("a value with %s is carried", (_what, value) => {
  expect(refusal(value, "docker")).toBeUndefined();
});

test("the first line says how Docker Compose reads the file", () => {
  const text = renderEnv([{ name: "A", value: Secret.of("$x #y") }], { format: "docker" });
  expect(text).toMatch(/^# .*Docker Compose.*format: raw.*\nA=\$x #y\n$/);
});
