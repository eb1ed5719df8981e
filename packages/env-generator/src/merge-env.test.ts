import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { EnvFileError, type EnvLine, mergeEnv, parseEnvFile, serialiseEnvFile } from "./index.ts";
import { refusal } from "./testing/carried.ts";
import { plainReaders } from "./testing/dotenv-readers.ts";
import { foreignFiles } from "./testing/foreign-files.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-merge-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dotenv = { format: "dotenv" } as const;
const line = (name: string, value: string): EnvLine => ({ name, value: Secret.of(value) });
const linesOf = (values: readonly string[]) =>
  values
    .filter((value) => refusal(value, "dotenv") === undefined)
    .map((value, index) => line(`KEYLOAN_TEST_${index}`, value));
const valuesOf = (lines: readonly EnvLine[]) =>
  Object.fromEntries(lines.map(({ name, value }) => [name, value.reveal()]));

const begin = "# >>> keyloan: what stands up to the closing mark is replaced by the next merge >>>";
const end = "# <<< keyloan <<<";

/** Files in which no block of ours stands. */
const unmarkedFiles = foreignFiles.filter((file) => !file.includes("# >>> keyloan"));

/** The merged file, or undefined where merging is refused for what the file holds. */
function merged(file: string, lines: readonly EnvLine[]): string | undefined {
  try {
    return mergeEnv(file, lines, dotenv);
  } catch (error) {
    if (error instanceof EnvFileError) return undefined;
    throw error;
  }
}

test("the lines of any file make the file", () => {
  fc.assert(
    fc.property(fc.oneof(foreignFiles, fc.string({ unit: "binary" })), (file) => {
      expect(serialiseEnvFile(parseEnvFile(file))).toBe(file);
    }),
    { seed, numRuns: 500 },
  );
});

describe("whatever the file holds, unless it is refused,", () => {
  const small = troubledValues.map((values) => linesOf(values.slice(0, 6)));

  test("merging twice is merging once", () => {
    fc.assert(
      fc.property(foreignFiles, small, (file, lines) => {
        const once = merged(file, lines);
        fc.pre(once !== undefined);
        expect(mergeEnv(once, lines, dotenv)).toBe(once);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("a later merge leaves what an only one would", () => {
    fc.assert(
      fc.property(foreignFiles, small, small, (file, first, second) => {
        const once = merged(file, first);
        fc.pre(once !== undefined);
        // Refused too, where the first was not: it may have had no values in quotes.
        expect(merged(once, second)).toBe(merged(file, second));
      }),
      { seed, numRuns: 500 },
    );
  });

  test("every other line stays, byte for byte and in order", () => {
    fc.assert(
      fc.property(unmarkedFiles, foreignFiles, small, small, (above, below, first, second) => {
        const once = merged(above, first);
        fc.pre(once?.endsWith("\n") === true);
        const twice = merged(once + below, second);
        fc.pre(twice !== undefined);
        expect(twice.startsWith(above)).toBe(true);
        expect(twice.endsWith(`${end}${once.endsWith("\r\n") ? "\r\n" : "\n"}${below}`)).toBe(true);
      }),
      { seed, numRuns: 500 },
    );
  });

  test.each(Object.entries(plainReaders))("%s reads our values and its own", async (name, read) => {
    await fc.assert(
      fc.asyncProperty(unmarkedFiles, foreignFiles, small, async (above, below, lines) => {
        const once = merged(above, [line("KEYLOAN_TEST_0", "old")]);
        fc.pre(once?.endsWith("\n") === true);
        const twice = merged(once + below, lines);
        fc.pre(twice !== undefined);
        const own = valuesOf(lines);
        const foreign = { ...(await read(folder, above)), ...(await read(folder, below)) };
        expect(await read(folder, twice)).toEqual({ ...foreign, ...own });
      }),
      { seed, numRuns: name.startsWith("Node") ? 15 : 100 },
    );
  });
});

test("the block goes behind everything, and is found again wherever it is moved", () => {
  const file = "# mine\r\nPORT=3000 # here\r\n\r\nNAME = 'a\r\nb'\r\n";
  const once = mergeEnv(file, [line("A", "1")], dotenv);
  expect(once).toBe(`${file}\r\n${begin}\r\nA=1\r\n${end}\r\n`);
  const moved = `FIRST=1\n${begin} edited\nA='1'\nMINE=lost\n  ${end}\nLAST=2`;
  expect(mergeEnv(moved, [line("B", "2")], dotenv)).toBe(`FIRST=1\n${begin}\nB=2\n${end}\nLAST=2`);
});

test.each([
  ["", `${begin}\nA=1\n${end}\n`],
  ["X=1", `X=1\n\n${begin}\nA=1\n${end}`],
  ["X=1\n", `X=1\n\n${begin}\nA=1\n${end}\n`],
  ["X=1\n\n", `X=1\n\n${begin}\nA=1\n${end}\n`],
])("the final line end of %j stays as it is", (file, expected) => {
  expect(mergeEnv(file, [line("A", "1")], dotenv)).toBe(expected);
});

test("a value with the closing mark as a line of its own does not close the block", () => {
  const hostile = linesOf([`a\n${end}\nb`, ...hostileValues]);
  const once = mergeEnv("X=1\n", hostile, dotenv);
  expect(mergeEnv(once, [line("A", "1")], dotenv)).toBe(`X=1\n\n${begin}\nA=1\n${end}\n`);
});

test.each([
  ["a name of ours", "X=1\nA=canary\n", "name_outside", [{ name: "A", line: 2 }]],
  ["one exported", "export A=canary", "name_outside", [{ name: "A", line: 1 }]],
  ["one with a colon", "A: canary", "name_outside", [{ name: "A", line: 1 }]],
  ["one behind a line separator", "#\u2028A=canary", "name_outside", [{ name: "A", line: 1 }]],
  [
    "one behind our block",
    `${begin}\n${end}\nB='x\ny'\n A =canary`,
    "name_outside",
    [{ name: "A", line: 5 }],
  ],
  ["a quote that never ends", "X='canary\nY=1\n", "unclear_line", [{ name: "X", line: 1 }]],
  ["one that an escape hides", 'X="a\\"canary\n"\n', "unclear_line", [{ name: "X", line: 1 }]],
  ["text behind quotes of several lines", "X='a\nb' canary\n", "unclear_line", [{ name: "X", line: 1 }]],
  ["no closing mark", `X=1\n${begin}\nA='canary'\n`, "broken_block", [{ line: 2 }]],
  ["no opening mark", `A='canary'\n${end}\n`, "broken_block", [{ line: 2 }]],
  [
    "two blocks",
    `${begin}\n${end}\n${begin}\n${end}\n`,
    "broken_block",
    [1, 2, 3, 4].map((l) => ({ line: l })),
  ],
])("a file with %s is refused with the places, a remedy and no value", (_what, file, code, places) => {
  try {
    mergeEnv(file, [line("A", "canary")], dotenv);
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof EnvFileError)) throw error;
    expect(error).toMatchObject({ code, places, remedy: expect.stringMatching(/\.$/) });
    expect(error.message).toContain(`line ${places[0]?.line}`);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("canary");
  }
});

test.each(["A#=1", "# A=1", "AA=1", "A_=1", "'\nA=1'"])("%j sets no name of ours", (file) => {
  expect(merged(`${file}\n`, [line("B", "1")])).toContain(`${file}\n\n${begin}`);
});
