import { isolationGradeMeanings } from "@keyloan/contract";
import type { EnvGroup, EnvLine } from "./env-line.ts";

/**
 * Lines of text with a comment before each group. A label cannot end its comment: everything that some
 * reader takes for the end of a line is written as a space.
 */
export function withGroupComments(lines: readonly EnvLine[], render: (line: EnvLine) => string): string {
  let text = "";
  let group: EnvGroup | undefined;
  for (const line of lines) {
    if (line.group !== undefined && line.group !== group) {
      text += `${text === "" ? "" : "\n"}${groupComment(line.group)}\n`;
    }
    group = line.group;
    text += `${render(line)}\n`;
  }
  return text;
}

function groupComment({ label, grade }: EnvGroup): string {
  // Cc holds CR, LF, NUL and U+0085; Zl and Zp are the separators that JavaScript's `^` stops at.
  const oneLine = label.slice(0, 100).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ");
  return `# ${oneLine.trim()}: grade ${grade}, ${isolationGradeMeanings[grade]}`;
}
