import type { EnvLine } from "./env-line.ts";
import { type Refusal, refuseNoText } from "./refusal.ts";

// Go's bufio.Scanner refuses a line that, with its line end, does not fit into 64 KiB.
const lineBytesMax = 64 * 1024 - 1;

const composeComment =
  "# For docker run --env-file. In the env_file of Docker Compose set format: raw, or it changes values.\n";

/**
 * Lines for `docker run --env-file`: `NAME=value` verbatim, without quoting or escapes (Docker CLI reference,
 * "docker container run", `--env-file`). By default Compose reads `env_file` by other rules; the file's first line says
 * how to change that.
 */
export function renderDocker(lines: readonly EnvLine[]): string {
  if (lines.length === 0) return "";
  return composeComment + lines.map((line) => `${dockerLine(line)}\n`).join("");
}

/** Refuses what Docker's line format cannot carry. */
export function refuseForDocker(line: EnvLine): Refusal | undefined {
  const noText = refuseNoText(line);
  if (noText !== undefined) return noText;
  const text = line.value.reveal();
  if (text.includes("\n")) {
    return { code: "newline", reason: "has more than one line, which Docker's env files do not support." };
  }
  if (text.endsWith("\r")) {
    return { code: "carriage_return", reason: "ends in a carriage return, which Docker drops." };
  }
  if (text.length > 1 && /^['"]/.test(text) && text.at(-1) === text[0]) {
    return {
      code: "surrounding_quotes",
      reason: "is in quotes, which some versions of Docker remove.",
    };
  }
  if (Buffer.byteLength(dockerLine(line)) > lineBytesMax) {
    return { code: "too_long", reason: "is longer than the maximum line in Docker's env files." };
  }
  return undefined;
}

function dockerLine({ name, value }: EnvLine): string {
  return `${name}=${value.reveal()}`;
}
