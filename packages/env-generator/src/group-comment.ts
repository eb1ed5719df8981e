import { isolationGradeMeanings } from "@keyloan/contract";
import type { EnvGroup, EnvLine } from "./env-line.ts";

/**
 * Lines of text with a comment before each group. A label cannot end its comment: everything that some reader takes for
 * the end of a line is replaced by a space.
 */
export function withGroupComments(
  lines: readonly EnvLine[],
  render: (line: EnvLine) => string,
  indent = "",
): string {
  let text = "";
  let group: EnvGroup | undefined;
  for (const line of lines) {
    if (line.group !== undefined && line.group !== group) {
      text += `${text === "" ? "" : "\n"}${indent}${groupComment(line.group)}\n`;
    }
    group = line.group;
    text += `${indent}${render(line)}\n`;
  }
  return text;
}

function groupComment({ label, grade }: EnvGroup): string {
  // C contains CR, LF, NUL, U+0085 and what YAML and systemd refuse to read; Zl and Zp are the separators after which
  // JavaScript's `^` matches.
  const oneLine = label.slice(0, 100).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
  return `# ${oneLine.trim()}: grade ${grade}, ${isolationGradeMeanings[grade]}`;
}
