import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { renderCarried } from "./testing/carried.ts";
import { bareValue, hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";
import { composeReader, dotenvJavaReader, pythonReader } from "./testing/judges.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-judges-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Readers of other languages, from their package registries. One that is not available here is skipped, with the reason.
const readers = { "python-dotenv": pythonReader(folder), "Docker Compose": composeReader(folder) };

describe.each(Object.entries(readers))("%s", (_name, read) => {
  test.skipIf(read === undefined)("reads back every value of a .env file that is not refused", () => {
    const { expected, text } = renderCarried(hostileValues, "dotenv");
    expect(read?.(text)).toEqual(expected);
    fc.assert(
      fc.property(troubledValues, (values) => {
        const carried = renderCarried(values, "dotenv");
        expect(read?.(carried.text)).toEqual(carried.expected);
      }),
      { seed, numRuns: 50 },
    );
  });
});

const readByJava = dotenvJavaReader(folder);

test.skipIf(readByJava === undefined)("dotenv-java reads back every value without special signs", () => {
  const values = fc.sample(bareValue, { seed, numRuns: 500 });
  const { expected, text } = renderCarried(values, "dotenv");
  expect(readByJava?.(text)).toEqual(expected);
});
