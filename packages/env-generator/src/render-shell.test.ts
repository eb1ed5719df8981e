import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";
import { shellReaders } from "./testing/shell-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-shell-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(shellReaders))("%s: a child process gets", (_name, read) => {
  test("every hostile value, no other variable, and nothing was run", async () => {
    const { expected, text } = renderCarried(hostileValues, "shell");
    expect(await read(folder, text)).toEqual(expected);
    expect(readdirSync(folder)).toEqual(["env.sh"]);
  });

  test("any values", async () => {
    await fc.assert(
      fc.asyncProperty(troubledValues, async (values) => {
        const { expected, text } = renderCarried(values, "shell");
        expect(await read(folder, text)).toEqual(expected);
      }),
      { numRuns: 10, seed },
    );
  });

  test("a value under a comment whose label tries to run commands", async () => {
    const label = "Evil\nexport A=1\r\nexport B=2;`id` $(exit 3)\0'";
    const group = { label, grade: "B" as const };
    const text = renderEnv([{ name: "KEYLOAN_TEST", value: Secret.of("x"), group }], { format: "shell" });
    expect(await read(folder, text)).toEqual({ KEYLOAN_TEST: "x" });
  });
});

test("only what no process environment can hold is refused", () => {
  const refused = hostileValues.filter((value) => refusal(value, "shell") !== undefined);
  expect(refused).toEqual(["nul\0inside", "\ud800"]);
});
