import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";
import { plainValue } from "./plain-value.ts";

/**
 * `export` lines for a POSIX shell (`. ./file` or `eval "$(…)"`). Between single quotes every character
 * stands for itself (POSIX Shell Command Language, 2.2.2); a single quote is written `'\''`.
 * @throws EnvFormatError `nul` or `not_text`
 */
export function renderShell(lines: readonly EnvLine[]): string {
  return withGroupComments(lines, ({ name, value }) => {
    const text = plainValue(name, value.reveal());
    return `export ${name}='${text.replaceAll("'", "'\\''")}'`;
  });
}
