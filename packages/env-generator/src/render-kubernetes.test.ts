import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";
import { environmentOf, yamlReaders } from "./testing/yaml-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-kubernetes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const line = (name: string, value = "x") => ({ name, value: Secret.of(value) });
const kubernetes = { format: "kubernetes" } as const;

describe.each(Object.entries(yamlReaders))("%s reads back", (reader, { isHere, read }) => {
  const testHere = test.skipIf(!isHere());
  const numRuns = reader.startsWith("yaml") ? 25 : 5;

  testHere("every hostile value that is not refused, and no other variable", () => {
    const { expected, text } = renderCarried(hostileValues, "kubernetes");
    expect(environmentOf(read(folder, text))).toEqual(expected);
  });

  testHere("any values", () => {
    fc.assert(
      fc.property(troubledValues, (values) => {
        const { expected, text } = renderCarried(values, "kubernetes");
        expect(environmentOf(read(folder, text))).toEqual(expected);
      }),
      { numRuns, seed },
    );
  });

  testHere("names and a Secret's name that YAML could take for something else", () => {
    const names = ["NO", "on", "Y", "TRUE", "null", "_1", "E1", "x0b1", "_"];
    const text = renderEnv(
      names.map((name) => line(name)),
      { ...kubernetes, name: "1e3" },
    );
    const manifest = read(folder, text);
    expect(Object.keys(environmentOf(manifest)).sort()).toEqual([...names].sort());
    expect(manifest).toMatchObject({ apiVersion: "v1", kind: "Secret", metadata: { name: "1e3" } });
  });

  testHere("a value under a comment whose label tries to write another", () => {
    const label = 'Evil\n  "A": "eA=="\r\u2028  "B": "eA=="\u0085\0\u0007\uffff"';
    const text = renderEnv([{ ...line("KEYLOAN_TEST"), group: { label, grade: "B" } }], kubernetes);
    expect(environmentOf(read(folder, text))).toEqual({ KEYLOAN_TEST: "x" });
  });
});

test("the manifest is one that people can read and kubectl prunes", () => {
  const turso = { label: "Turso", grade: "B" as const };
  const lines = [
    { ...line("TURSO_AUTH_TOKEN", "t"), group: turso },
    { ...line("EMPTY", ""), group: { label: "Other", grade: "E" as const } },
  ];
  expect(renderEnv(lines, { ...kubernetes, name: "todo-app" })).toBe(`apiVersion: v1
kind: Secret
metadata:
  name: "todo-app"
type: Opaque
data:
  # Turso: grade B, a resource of its own with a token for that resource alone
  "TURSO_AUTH_TOKEN": "dA=="

  # Other: grade E, a shared test key in the environment
  "EMPTY": ""
`);
});

test.each([
  ["NUL", "a\0b", "nul"],
  ["half a surrogate pair", "\udfff", "not_text"],
  ["more than a Secret holds", "é".repeat(512 * 1024 + 1), "too_long"],
])("a value with %s is refused", (_what, value, code) => {
  expect(refusal(value, "kubernetes")).toBe(code);
});

test("nothing else of the corpus is, up to 1 MiB in all", () => {
  const refused = hostileValues.filter((value) => refusal(value, "kubernetes") !== undefined);
  expect(refused).toEqual(["nul\0inside", "\ud800"]);
  const half = "x".repeat(512 * 1024);
  expect(renderEnv([line("A", half), line("B", half)], kubernetes)).toContain('"B"');
  expect(() => renderEnv([line("A", half), line("B", `${half}x`)], kubernetes)).toThrow(
    expect.objectContaining({ code: "too_long", variable: "B" }),
  );
});

test.each(["", "Upper", "-a", "a-", "a..b", "a_b", "a\nb", 'a"', "a".repeat(254)])(
  "%j is refused as the name of a Secret",
  (name) => {
    expect(() => renderEnv([], { ...kubernetes, name })).toThrow(
      expect.objectContaining({ code: "bad_name", remedy: expect.stringContaining("lower-case") }),
    );
  },
);

test("a variable name longer than a key may be is refused", () => {
  expect(renderEnv([line("A".repeat(253))], kubernetes)).toContain("AAA");
  expect(() => renderEnv([line("A".repeat(254))], kubernetes)).toThrow(
    expect.objectContaining({ code: "bad_name" }),
  );
});
