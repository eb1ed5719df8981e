/** One line of a `.env` file, or an assignment whose quotes span several lines. `text` includes its line end. */
export type EnvFileLine = {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly number: number;
} & (
  | { readonly kind: "assignment"; readonly name: string; readonly state: "set" | "empty" | "unclear" }
  | { readonly kind: "comment" | "blank" | "other" }
);

type Assignment = { readonly name: string; readonly rest: string; readonly restAt: number };

// JavaScript's `^`, and so dotenv, takes all of these as the end of a line.
const linePattern = /[^\n\r\u2028\u2029]*(?:\r\n|[\n\r\u2028\u2029]|$)/y;
const assignmentPattern = /^(\s*(?:export\s+)?([\w.-]+)\s*(?:=|:(?=\s))\s*)(.*)$/s;

/**
 * The lines of a `.env` file; joined, their texts are the file. An assignment is `unclear` if readers of such files
 * disagree on which line its quotes end, or the quotes never end.
 */
export function parseEnvFile(text: string): readonly EnvFileLine[] {
  const lines: EnvFileLine[] = [];
  let number = 1;
  for (let at = 0; at < text.length; ) {
    const line = readLine(text, at, number);
    lines.push(line);
    at += line.text.length;
    number += line.text.match(/\r\n|[\n\r]/g)?.length ?? 0;
  }
  return lines;
}

/** Joins the lines to the text of a file. */
export function serialiseEnvFile(lines: readonly EnvFileLine[]): string {
  return lines.map(({ text }) => text).join("");
}

/** Which variables a `.env` file sets, and whether to anything. If a name is set twice, the last one counts. */
export function namesInEnvFile(text: string): ReadonlyMap<string, "set" | "empty" | "unclear"> {
  const names = new Map<string, "set" | "empty" | "unclear">();
  for (const line of parseEnvFile(text)) if (line.kind === "assignment") names.set(line.name, line.state);
  return names;
}

function readLine(text: string, at: number, number: number): EnvFileLine {
  const first = physicalLine(text, at);
  const content = first.trim();
  if (content === "") return { kind: "blank", text: first, number };
  if (content.startsWith("#")) return { kind: "comment", text: first, number };
  const assignment = readAssignment(first);
  if (assignment === undefined) return { kind: "other", text: first, number };
  const { name, rest, restAt } = assignment;
  const quote = rest[0] ?? "";
  if (!/^['"`]/.test(quote)) {
    return { kind: "assignment", name, state: /^(?:#|$)/.test(rest) ? "empty" : "set", text: first, number };
  }
  const end = endOfQuoted(text, at + restAt, at + first.length, quote);
  if (end === undefined) return { kind: "assignment", name, state: "unclear", text: first, number };
  const state = rest[1] === quote ? "empty" : "set";
  return { kind: "assignment", name, state, text: text.slice(at, end), number };
}

function readAssignment(line: string): Assignment | undefined {
  const [, head, name, rest] = assignmentPattern.exec(line) ?? [];
  if (head === undefined || name === undefined || rest === undefined) return undefined;
  return { name, rest, restAt: head.length };
}

/**
 * The end of the line on which a quoted value ends. dotenv skips a quote after a backslash and treats a quote with more
 * text after it as part of the value; Node stops at the first quote, whatever is around it.
 * @param quoteAt offset of the opening quote
 * @param lineEnd offset of the end of its line
 * @returns `undefined` if the two end on different lines, or the quotes have no clear end
 */
function endOfQuoted(text: string, quoteAt: number, lineEnd: number, quote: string): number | undefined {
  const nodeEnd = text.indexOf(quote, quoteAt + 1);
  let dotenvEnd = nodeEnd;
  while (dotenvEnd !== -1 && text[dotenvEnd - 1] === "\\") dotenvEnd = text.indexOf(quote, dotenvEnd + 1);
  if (dotenvEnd === -1) return undefined;
  if (dotenvEnd < lineEnd) return lineEnd;
  if (nodeEnd !== dotenvEnd) return undefined;
  const remainder = physicalLine(text, dotenvEnd + 1);
  return /^\s*(?:#.*)?$/s.test(remainder) ? dotenvEnd + 1 + remainder.length : undefined;
}

function physicalLine(text: string, at: number): string {
  linePattern.lastIndex = at;
  return linePattern.exec(text)?.[0] ?? "";
}
