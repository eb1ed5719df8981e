import { isBare } from "./render-dotenv.ts";

// Shells know only two blanks. JavaScript's `.` stops at every line end, and its `\s` matches more than blanks.
const assignment =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=('[^']*(?<!\\)'|"[^"\\$`]*"|[^\s'"]*)(?:[ \t]+#.*|[ \t]*)$/;

/**
 * Whether every shell and every listed reader takes the line for a blank line, a comment or one variable that has no
 * effect below it. Below other lines, such as `NAME=it's`, our quotes may close theirs, and a value would be run.
 */
export function standsAlone(line: string): boolean {
  const text = line.replaceAll("\r\n", "\n").replace(/\n$/, "");
  if (/\\$/m.test(text) || /[^\P{Cc}\t\n]/u.test(text)) return false;
  if (/^[ \t]*(?:#.*)?$/.test(text)) return true;
  const [, name, value] = assignment.exec(text) ?? [];
  // This variable makes zsh begin comments with another sign than `#`.
  if (value === undefined || name?.toLowerCase() === "histchars") return false;
  return /^(?:['"]|$)/.test(value) || isBare(value);
}
