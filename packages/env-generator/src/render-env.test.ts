import { inspect } from "node:util";
import { type EnvFormat, envFormats, envJsonSchema, Secret } from "@keyloan/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EnvFormatError, type EnvLine, formatsFor, renderEnv } from "./index.ts";
import { renderCarried } from "./testing/carried.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";

const textsOfNothing: Partial<Record<EnvFormat, string>> = {
  json: "{}",
  kubernetes: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: "app-env"\ntype: Opaque\ndata: {}\n',
};
const line = (name: string, value = "x"): EnvLine => ({ name, value: Secret.of(value) });

describe("json", () => {
  test("carries every hostile value, in the order of the lines", () => {
    const { expected, text } = renderCarried(hostileValues, "json");
    expect(envJsonSchema.parse(JSON.parse(text))).toEqual(expected);
    expect(Object.keys(JSON.parse(text))).toEqual(hostileValues.map((_, index) => `KEYLOAN_TEST_${index}`));
  });

  test("carries any value", () => {
    fc.assert(
      fc.property(troubledValues, (values) => {
        const { expected, text } = renderCarried(values, "json");
        expect(JSON.parse(text)).toEqual(expected);
      }),
      { seed },
    );
  });
});

describe.each(envFormats)("%s", (format) => {
  test.each([
    ["empty", ""],
    ["starting with a digit", "1A"],
    ["with a dash", "A-B"],
    ["with a line break", "A\nB"],
    ["with an assignment", "A=1;B"],
    ["with a quote", 'A"'],
    ["beyond ASCII", "ÄB"],
    ["that objects reserve", "__proto__"],
    ["of endless length", "A".repeat(256)],
  ])("refuses a name %s", (_what, name) => {
    expect(() => renderEnv([line(name)], { format })).toThrow(expect.objectContaining({ code: "bad_name" }));
  });

  test("refuses a name that stands twice", () => {
    expect(() => renderEnv([line("A"), line("A")], { format })).toThrow(
      expect.objectContaining({ code: "duplicate_name", variable: "A" }),
    );
  });

  test("gives a text for no variables at all", () => {
    expect(renderEnv([], { format })).toBe(textsOfNothing[format] ?? "");
  });
});

test.each(["dotenv", "shell", "systemd"] as const)(
  "a label of %s stays one comment of well-formed text",
  (format) => {
    const label = `${"🔑".repeat(49)}a\n\u202e🔑 cut here`;
    const text = renderEnv([{ ...line("A"), group: { label, grade: "A" } }], { format });
    expect(text.isWellFormed()).toBe(true);
    expect(text.split("\n")[0]).toBe(`# ${"🔑".repeat(49)}a: grade A, an account of its own`);
  },
);

test.each([
  ["dotenv", "canary$value"],
  ["dotenv", "$(canary)"],
  ["dotenv", "canary's `id`"],
  ["dotenv", "canary\r"],
  ["dotenv", "'\"`\ncanary"],
  ["docker", "canary\n"],
  ["docker", "'canary'"],
  ["shell", "canary\0"],
  ["github", "canary\r"],
  ["kubernetes", "canary\0"],
  ["systemd", "canary\u0007"],
] as const)("a refusal of %s names the variable and a remedy and never the value", (format, value) => {
  try {
    renderEnv([line("FINE"), line("REFUSED", value)], { format });
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof EnvFormatError)) throw error;
    expect(error.variable).toBe("REFUSED");
    expect(error.message).toMatch(/^REFUSED .*\.$/);
    expect(error.remedy).toContain(`supports it: ${formatsFor(line("REFUSED", value)).join(", ")}.`);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("canary");
  }
});

test.each([
  ["a$(id)", ["json", "docker", "shell", "github", "kubernetes", "systemd"]],
  ["two\nlines", ["json", "dotenv", "shell", "github", "kubernetes", "systemd"]],
  ["a\0b", ["json"]],
])("%j is said to be carried by the formats that write it", (value, formats) => {
  expect([...formatsFor(line("A", value))].sort()).toEqual([...formats].sort());
  const written = envFormats.filter((format) => {
    try {
      return renderEnv([line("A", value)], { format }) !== "";
    } catch {
      return false;
    }
  });
  expect(written.sort()).toEqual([...formats].sort());
});
