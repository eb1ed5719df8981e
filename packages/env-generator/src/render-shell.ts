import type { EnvLine } from "./env-line.ts";
import { withGroupComments } from "./group-comment.ts";

/**
 * `export` lines for a POSIX shell (`. ./file` or `eval "$(…)"`). Between single quotes every character
 * stands for itself (POSIX Shell Command Language, 2.2.2); a single quote is written `'\''`.
 */
export function renderShell(lines: readonly EnvLine[]): string {
  return withGroupComments(
    lines,
    ({ name, value }) => `export ${name}='${value.reveal().replaceAll("'", "'\\''")}'`,
  );
}
