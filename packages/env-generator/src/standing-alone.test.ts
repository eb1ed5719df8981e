import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Secret } from "@keyloan/contract";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { EnvFileError, type EnvLine, mergeEnv } from "./index.ts";
import { plainReaders } from "./testing/dotenv-readers.ts";
import { entangledFiles } from "./testing/foreign-files.ts";
import { planted, seed } from "./testing/hostile-values.ts";
import { shells } from "./testing/shell-readers.ts";

const folder = mkdtempSync(join(tmpdir(), "keyloan-alone-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => rmSync(planted, { force: true }));

const end = "# <<< keyloan <<<";
const own: Readonly<Record<string, string>> = {
  KEYLOAN_1: `;touch ${planted};`,
  KEYLOAN_2: `\`touch ${planted}\` #`,
  KEYLOAN_3: `\ntouch ${planted}\n`,
  KEYLOAN_4: "it's plain",
};
const lines: readonly EnvLine[] = Object.entries(own).map(([name, value]) => ({
  name,
  value: Secret.of(value),
}));
const merge = (file: string) => mergeEnv(file, lines, { format: "dotenv" });
const block = merge("");

/** Whether a shell of this machine runs a command of our values, were our block put below the file as it is. */
async function isRun(file: string): Promise<boolean> {
  const runs = shells.map((shell) => ownValues(shell, [`${file}${block}# it's\n`]).catch(() => undefined));
  await Promise.all(runs);
  return existsSync(planted);
}

/** Our variables in a shell after each of the texts, one after the other; lines that fail do not stop it. */
async function ownValues(shell: string, texts: readonly string[]): Promise<readonly string[]> {
  const place = mkdtempSync(join(folder, "texts-"));
  const files = texts.map((text, index) => {
    const file = join(place, String(index));
    writeFileSync(file, text);
    return file;
  });
  const names = lines.map(({ name }) => `"$${name}"`).join(" ");
  const script = `for file; do (. "$file" >&2; printf '%s\\0' ${names}); done`;
  const env = { LC_ALL: "C.UTF-8", PATH: process.env.PATH, ZDOTDIR: place };
  const { stdout } = await promisify(execFile)(shell, ["-c", script, shell, ...files], { env });
  return stdout.split("\0").slice(0, -1);
}

/** The merged file, or undefined where merging is refused for what the file holds. */
function merged(file: string): string | undefined {
  try {
    return merge(file);
  } catch (error) {
    if (error instanceof EnvFileError) return undefined;
    throw error;
  }
}

describe("above values that need quotes, it is refused by its line:", () => {
  const dangerous: readonly (readonly [string, string, number])[] = [
    ["an apostrophe", "X=1\nIT=it's\n", 2],
    ["one in no assignment", "it's\n", 1],
    ["a double quote inside", 'X=1\n\nSIZE=5"\n', 3],
    ["a backslash above a comment", "DIR=C:\\temp\\\n# don't touch\n", 1],
    ["a hash behind an escaped space", "A=a\\ #'\n", 1],
    ["a quote with escapes", "A=$'a\\'b'\n", 1],
    ["a hash behind a no-break space", "A=x\u00a0#'\n", 1],
    ["one behind a vertical tab", "A=x\v#'\n", 1],
    ["one behind a form feed", "A=x\f#'\n", 1],
    ["one behind a line separator", "A=x\u2028#'\n", 1],
    ["a comment behind a byte order mark", "\uFEFF# it's\n", 1],
    ["one behind a no-break space in front", "A=1\n\u00a0# it's\n", 2],
    ["one behind a line separator in front", "\u2028# it's\n", 1],
    ["an open document", "A=1\ncat <<X\n", 2],
    ["one below an assignment", "A=1 cat <<X\n", 1],
  ];
  test.each(dangerous)("%s, and a shell would run a value below it", async (_what, file, number) => {
    expect(() => merge(file)).toThrow(
      expect.objectContaining({
        code: "unclear_line",
        places: [expect.objectContaining({ line: number })],
        remedy: expect.stringMatching(/\.$/),
      }),
    );
    expect(await isRun(file)).toBe(true);
  });

  test.each([
    ["an open command", "A=$(\n"],
    ["an open expansion", "A=$" + "{B:-\n"],
    ["an open list", "A=(\n"],
    ["an open condition", "if false; then\n"],
    ["an open backtick", "X=a`b\n"],
    ["a command with a backtick inside quotes", 'A="`echo "it\'s"`"\n'],
    ["an escaped quote", "X=it\\'s\n"],
    ["a command inside quotes", 'A="$(it\'s)"\n'],
    ["a backtick inside quotes", 'A="a`b"\n'],
    ["a backslash inside double quotes", 'A="a\\nb"\n'],
    ["escapes inside double quotes", 'A="x\\""\n'],
    ["a backslash at the end of single quotes", "A='x\\' # it's\n"],
    ["a backslash at the end of a comment", "# it's \\\n"],
    ["one at the end of the file", "A=1\\"],
    ["one at the end of a line inside quotes", "A='x\\\ny'\n"],
    ["a hash right behind quotes", "A='x'#it\n"],
    ["a command", "A=1 touch it\n"],
    ["a name that is none in a shell", "A.B=1\n"],
    ["a colon", "A: 1\n"],
    ["a backslash in front of CRLF", "DIR=C:\\temp\\\r\n# it's\r\n"],
    ["a carriage return", "# x\rA='1'\n"],
    ["a line separator in a comment", "# x\u2028A='1'\n"],
    ["a NUL in a comment", "# x\0\n"],
    ["a byte order mark", "\uFEFFA=1\n"],
    ["what zsh takes for a command", "A==ls\n"],
  ])("%s", (_what, file) => {
    expect(() => merge(file)).toThrow(expect.objectContaining({ code: "unclear_line" }));
  });

  test.each(["histchars", "HISTCHARS"])("%s, by which zsh knows comments", (name) => {
    expect(() => merge(`${name}='!^%'\n# it's\n`)).toThrow(
      expect.objectContaining({ places: [{ name, line: 1 }] }),
    );
  });

  test("nothing, where it stands below the block or the values need no quotes", () => {
    const file = dangerous.map(([, text]) => text).find((text) => text.includes("IT="));
    expect(merge(block + file)).toBe(block + file);
    expect(merge(`# >>> keyloan\n${end}\n${file}`)).toBe(block + file);
    const bare = [{ name: "B", value: Secret.of("sk_1") }];
    expect(mergeEnv(file ?? "", bare, { format: "dotenv" })).toContain("B=sk_1");
  });
});

describe("below whatever is not refused,", () => {
  const accepted = entangledFiles.map(merged).filter((text) => text !== undefined);

  test.each(shells)("%s runs none of our values and reads them back", async (shell) => {
    await fc.assert(
      fc.asyncProperty(fc.array(accepted, { minLength: 150, maxLength: 150 }), async (texts) => {
        // To a shell, the first half of CRLF is a part of the value.
        const expected = texts.map((text) => {
          const rest = text.includes(`\r\n${end}`) ? "\r" : "";
          return Object.values(own).map((value) => value + rest);
        });
        expect(await ownValues(shell, texts)).toEqual(expected.flat());
        expect(existsSync(planted)).toBe(false);
      }),
      { seed, numRuns: 3, endOnFailure: true },
    );
  });

  test.each(Object.entries(plainReaders))("%s reads our values", async (name, read) => {
    await fc.assert(
      fc.asyncProperty(accepted, async (text) => {
        expect(await read(folder, text)).toMatchObject(own);
      }),
      { seed, numRuns: name.startsWith("Node") ? 15 : 200 },
    );
  });
});
