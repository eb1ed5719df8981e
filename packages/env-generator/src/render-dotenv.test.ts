import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { renderEnv } from "./index.ts";
import { refusal, renderCarried } from "./testing/carried.ts";
import { parseDockerEnvFile } from "./testing/docker-env-file.ts";
import { dotenvReaders, plainReaders, runningReaders } from "./testing/dotenv-readers.ts";
import {
  bareValue,
  commands,
  hostileValues,
  otherVariables,
  planted,
  seed,
  troubledValues,
} from "./testing/hostile-values.ts";
import { makeReader, namesByLine } from "./testing/line-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-dotenv-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => rmSync(planted, { force: true }));

describe.each(Object.entries(dotenvReaders))("%s runs nothing and reads back", (name, read) => {
  test("every hostile value that is not refused, and no other variable", async () => {
    const { expected, text } = renderCarried(hostileValues, "dotenv");
    expect(await read(folder, text)).toEqual(expected);
    expect(existsSync(planted)).toBe(false);
  });

  test("any values, in any neighbourhood", async () => {
    await fc.assert(
      fc.asyncProperty(troubledValues, async (values) => {
        const { expected, text } = renderCarried(values, "dotenv");
        expect(await read(folder, text)).toEqual(expected);
        expect(existsSync(planted)).toBe(false);
      }),
      { numRuns: name === "dotenvx" ? 5 : 15, seed },
    );
  });

  test("a value under a comment whose label tries to write variables", async () => {
    const label = "Evil\nA=1\r\nB='2\u2028C=3\u2029D=4\u0085E=5\0 'F=\"6`";
    const group = { label, grade: "B" as const };
    const text = renderEnv([{ name: "KEYLOAN_TEST", value: Secret.of("x"), group }], { format: "dotenv" });
    expect(await read(folder, text)).toEqual({ KEYLOAN_TEST: "x" });
  });
});

test.each(Object.entries(runningReaders))(
  "%s would run a command that is written as it is",
  async (_name, read) => {
    await read(folder, `KEYLOAN_TEST="${commands[0]}"\n`);
    expect(existsSync(planted)).toBe(true);
  },
);

describe("a reader that takes each line by itself", () => {
  const isKey = (name: string) => name.startsWith("KEYLOAN_TEST_");

  test("would find variables in a value that is written as it is", () => {
    for (const value of otherVariables) expect(namesByLine(`A='${value}'\n`)).toContain("LD_PRELOAD");
  });

  test("finds no other variable in any that is not refused, but in the end of a key", () => {
    const { expected, text } = renderCarried(hostileValues, "dotenv");
    const found = namesByLine(text);
    expect(found.filter(isKey)).toEqual(Object.keys(expected));
    expect(found.filter((name) => !isKey(name))).toEqual([]);
    fc.assert(
      fc.property(troubledValues, (values) => {
        const carried = renderCarried(values, "dotenv");
        expect(namesByLine(carried.text)).toEqual(Object.keys(carried.expected));
      }),
      { seed },
    );
  });

  const make = makeReader(folder);

  test.skipIf(make === undefined)("runs nothing where make includes the file", () => {
    make?.(`A='x\nrule: ; touch ${planted}'\n`.replace("'\n", "\n"));
    expect(existsSync(planted)).toBe(true);
    rmSync(planted);
    for (const value of [...hostileValues, ...commands]) {
      make?.(renderCarried([value], "dotenv").text);
      expect(existsSync(planted)).toBe(false);
    }
  });
});

test.each(Object.entries(plainReaders))(
  "%s reads a file whose lines an editor ended by CRLF",
  async (_name, read) => {
    const { expected, text } = renderCarried(["plain", "it's", "", "a#b"], "dotenv");
    expect(await read(folder, text.replaceAll("\n", "\r\n"))).toEqual(expected);
  },
);

test.each([[false], [true]])(
  "a value without special signs is read back where quotes are part of it (removes quotes: %s)",
  (removesQuotes) => {
    fc.assert(
      fc.property(fc.array(bareValue), (values) => {
        const { expected, text } = renderCarried(values, "dotenv");
        expect(Object.keys(expected)).toHaveLength(values.length);
        expect(parseDockerEnvFile(text, { removesQuotes })).toEqual(expected);
      }),
      { seed },
    );
  },
);

test.each([
  ["nothing", ""],
  ["spaces around", "  both sides \t"],
  ["a comment sign", "a #b"],
  ["single quotes", "it's"],
  ["single quotes and a comment sign", "it's #1"],
  ["double quotes and backticks", 'say "x" and `y`'],
  ["an escape sequence", "two\\nletters"],
  ["a dollar sign that nothing expands", "price $ 5"],
  ["signs of a shell", "a;b|c&d<e>f(g){h}[i]*?!~"],
  ["lines", "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n"],
  ["lines and single quotes", "it's\ntwo lines"],
  ["lines that end in padding", "-----BEGIN KEY-----\nMIIBCgKCAQEAt7==\n-----END KEY-----\n"],
  ["lines of JSON", '{\n  "type": "service_account",\n  "key": 1\n}'],
  ["lines with colons", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n"],
  ["a tab", "a\tb"],
  ["64 kB", "x".repeat(64 * 1024)],
])("a value with %s is carried", (_what, value) => {
  expect(refusal(value, "dotenv")).toBeUndefined();
});

test.each([
  ["a variable", "a$b", "expansion"],
  ["a variable in braces", "\u0024{HOME}", "expansion"],
  ["a password hash", "$2b$10$abcdefghijklmnopqrstuv", "expansion"],
  ["an escaped dollar sign", "a\\$", "expansion"],
  ["a command", "a$(id)", "expansion"],
  ["half a command", "a$(", "expansion"],
  ["what dotenvx decrypts", "encrypted:BD9x", "expansion"],
  ["single quotes and a dollar sign", "it's $ 5", "quoting"],
  ["single quotes and a backtick", "it's `id`", "quoting"],
  ["single and double quotes", 'it\'s "x"', "quoting"],
  ["single quotes and a backslash", "it's a\\b", "quoting"],
  ["a backslash at the end", "ends in \\", "quoting"],
  ["two backslashes", "a\\\\b", "quoting"],
  ["a carriage return", "a\rb", "carriage_return"],
  ["Windows line ends", "a\r\nb", "carriage_return"],
  ["a line that is a variable", "x\nLD_PRELOAD=/tmp/e.so", "newline"],
  ["a line that exports a variable", "x\n export A=1\ny", "newline"],
  ["a line that make takes for a variable", "x\nSHELL := /tmp/e", "newline"],
  ["a line that make takes for a rule", "x\nall: ; touch x", "newline"],
  ["a line that make would run", "x\nall:\n\ttouch x", "newline"],
  ["a line that make reads a file by", "x\n-include /tmp/e.mk", "newline"],
  ["NEL", "a\u0085b", "control_character"],
  ["a vertical tab", "a\u000bb", "control_character"],
  ["a form feed", "a\u000cb", "control_character"],
  ["a line separator", "a\u2028b", "control_character"],
  ["a paragraph separator", "a\u2029b", "control_character"],
  ["an escape", "a\u001b[31m", "control_character"],
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
      "TURSO_DATABASE_URL=libsql://x",
      "TURSO_AUTH_TOKEN=t",
      "",
      "# Stripe: grade E, a shared test key in the environment",
      "STRIPE_SECRET_KEY=sk",
      "",
    ].join("\n"),
  );
});
