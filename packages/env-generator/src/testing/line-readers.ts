import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The variables found by a reader that reads each line by itself, as honcho, foreman and django-environ do, and splits
 * lines as Python's `splitlines` does.
 */
export function namesByLine(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python ends lines there
  const lines = text.split(/\r\n|[\n\r\u000b\u000c\u001c-\u001e\u0085\u2028\u2029]/);
  return lines.flatMap((line) => /^\s*(?:export\s+)?([A-Za-z0-9_]+)\s*=/.exec(line)?.[1] ?? []);
}

/** Includes the file in a Makefile, as many projects do with their `.env`; `undefined` if make is not installed. */
export function makeReader(folder: string): ((text: string) => void) | undefined {
  try {
    execFileSync("make", ["--version"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return (text) => {
    writeFileSync(join(folder, "make.env"), text);
    writeFileSync(join(folder, "Makefile"), "include make.env\nall:\n\t@true\n");
    try {
      execFileSync("make", ["-s"], { cwd: folder, stdio: "ignore" });
    } catch {
      // make refuses what it cannot read, which is safe.
    }
  };
}
