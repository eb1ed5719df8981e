import { EnvFormatError } from "./env-format-error.ts";
import type { EnvLine } from "./env-line.ts";
import { plainValue, useJsonOrRun } from "./plain-value.ts";

// Go's bufio.Scanner refuses a line that does not fit into 64 KiB with its end.
const lineBytesMax = 64 * 1024 - 1;

/**
 * Lines for `docker run --env-file`: `NAME=value` verbatim, without quoting or escapes (Docker CLI reference,
 * "docker container run", `--env-file`). What its line format cannot carry is refused by name.
 * @throws EnvFormatError `newline`, `carriage_return`, `surrounding_quotes`, `too_long`, `nul` or `not_text`
 */
export function renderDocker(lines: readonly EnvLine[]): string {
  return lines.map((line) => `${dockerLine(line)}\n`).join("");
}

function dockerLine({ name, value }: EnvLine): string {
  const text = plainValue(name, value.reveal());
  const refuse = (
    code: "newline" | "carriage_return" | "surrounding_quotes" | "too_long",
    reason: string,
  ) => {
    throw new EnvFormatError(code, name, reason, useJsonOrRun);
  };
  if (text.includes("\n"))
    refuse("newline", "has more than one line, which Docker's env files cannot carry.");
  if (text.endsWith("\r")) refuse("carriage_return", "ends in a carriage return, which Docker drops.");
  if (text.length > 1 && /^['"]/.test(text) && text.at(-1) === text[0]) {
    refuse("surrounding_quotes", "stands in quotes, which some versions of Docker remove.");
  }
  const line = `${name}=${text}`;
  if (Buffer.byteLength(line) > lineBytesMax)
    refuse("too_long", "is longer than a line of Docker's env files.");
  return line;
}
