import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { dotenvReaders } from "./testing/dotenv-readers.ts";
import { hostileValues, seed, troubledValues } from "./testing/hostile-values.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-dotenv-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(dotenvReaders))("%s reads back", (_name, read) => {
  test("every hostile value that is not refused, and no other variable", async () => {
    const { expected, text } = renderCarried(hostileValues, "dotenv");
    expect(await read(folder, text)).toEqual(expected);
  });

  test("any values, in any neighbourhood", async () => {
    await fc.assert(
      fc.asyncProperty(troubledValues, async (values) => {
        const { expected, text } = renderCarried(values, "dotenv");
        expect(await read(folder, text)).toEqual(expected);
      }),
      { numRuns: 25, seed },
    );
  });

  test("a value under a comment whose label tries to write variables", async () => {
    const label = "Evil\nA=1\r\nB='2\u2028C=3\u2029D=4\u0085E=5\0 'F=\"6`";
    const group = { label, grade: "B" as const };
    const text = renderEnv([{ name: "KEYLOAN_TEST", value: Secret.of("x"), group }], { format: "dotenv" });
    expect(await read(folder, text)).toEqual({ KEYLOAN_TEST: "x" });
  });

  test("a file with all its lines ended by CRLF, as an editor may save it", async () => {
    const { expected, text } = renderCarried(["plain", "it's", "'\"` bare", "", "a#b"], "dotenv");
    expect(await read(folder, text.replaceAll("\n", "\r\n"))).toEqual(expected);
  });
});

test.each([
  ["nothing", ""],
  ["spaces around", "  both sides \t"],
  ["a comment sign", "a #b"],
  ["single quotes", "it's"],
  ["all three quotes", "a'b\"c`d"],
  ["single quotes and an escape sequence", "it's two\\nletters"],
  ["a backslash at the end", "ends in \\"],
  ["a dollar sign that nothing expands", "price $"],
  ["lines", "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n"],
  ["lines, single and double quotes", 'it\'s\ntwo "lines"'],
  ["64 kB", "x".repeat(64 * 1024)],
])("a value with %s is carried", (_what, value) => {
  expect(refusal(value, "dotenv")).toBeUndefined();
});

test.each([
  ["a variable", "a$b", "expansion"],
  ["a variable in braces", "\u0024{HOME}", "expansion"],
  ["a password hash", "$2b$10$abcdefghijklmnopqrstuv", "expansion"],
  ["an escaped dollar sign", "a\\$", "expansion"],
  ["a carriage return", "a\rb", "carriage_return"],
  ["Windows line ends", "a\r\nb", "carriage_return"],
  ["all three quotes and lines", "'\n\"\n`", "quoting"],
  ["a space in front and a backslash at the end", " \\", "quoting"],
  ["NUL", "a\0b", "nul"],
  ["half a surrogate pair", "\ud800", "not_text"],
])("a value with %s is refused", (_what, value, code) => {
  expect(refusal(value, "dotenv")).toBe(code);
});

test("each connector is introduced by its label and what its grade means", () => {
  const turso = { label: "Turso", grade: "B" as const };
  const stripe = { label: "Stripe", grade: "E" as const };
  const text = renderEnv(
    [
      { name: "TURSO_DATABASE_URL", value: Secret.of("libsql://x"), group: turso },
      { name: "TURSO_AUTH_TOKEN", value: Secret.of("t"), group: turso },
      { name: "STRIPE_SECRET_KEY", value: Secret.of("sk"), group: stripe },
    ],
    { format: "dotenv" },
  );
  expect(text).toBe(
    [
      "# Turso: grade B, a resource of its own with a token for that resource alone",
      "TURSO_DATABASE_URL='libsql://x'",
      "TURSO_AUTH_TOKEN='t'",
      "",
      "# Stripe: grade E, a shared test key in the environment",
      "STRIPE_SECRET_KEY='sk'",
      "",
    ].join("\n"),
  );
});
