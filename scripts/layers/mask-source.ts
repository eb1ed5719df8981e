const keywordsBeforeRegex = new Set(
  "return typeof case in of delete void throw new else do instanceof yield await".split(" "),
);

/**
 * The source with comments blanked and the insides of strings, templates and regular expressions replaced by
 * NUL characters. Offsets and line breaks stay where they are, so a match in the mask can be read in the
 * source. A text search over the mask never mistakes words in a string for code.
 */
export function maskSource(source: string): string {
  const out = source.split("");
  const braces: ("block" | "template")[] = [];
  let at = 0;

  const blank = (from: number, to: number, filler: string) => {
    for (let index = from; index < to; index++) if (out[index] !== "\n") out[index] = filler;
  };
  const skipTemplate = (from: number): void => {
    let index = from;
    while (index < source.length && source[index] !== "`" && !source.startsWith("${", index)) {
      index += source[index] === "\\" ? 2 : 1;
    }
    blank(from, Math.min(index, source.length), "\0");
    if (source[index] === "$") braces.push("template");
    at = index + (source[index] === "$" ? 2 : 1);
  };
  const skipTo = (end: number, filler: string): void => {
    blank(filler === " " ? at : at + 1, filler === " " ? end : end - 1, filler);
    at = end;
  };

  while (at < source.length) {
    const char = source[at];
    if (source.startsWith("//", at)) skipTo(endOfLine(source, at), " ");
    else if (source.startsWith("/*", at)) skipTo(endOfComment(source, at), " ");
    else if (char === '"' || char === "'") skipTo(endOfString(source, at) ?? at + 1, "\0");
    else if (char === "/" && startsRegex(out, at)) skipTo(endOfRegex(source, at) ?? at + 1, "\0");
    else if (char === "`") skipTemplate(at + 1);
    else if (char === "}" && braces.pop() === "template") skipTemplate(at + 1);
    else {
      if (char === "{") braces.push("block");
      at++;
    }
  }
  return out.join("");
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end === -1 ? source.length : end;
}

function endOfComment(source: string, from: number): number {
  const end = source.indexOf("*/", from + 2);
  return end === -1 ? source.length : end + 2;
}

// Undefined when no closing quote stands on the line: an apostrophe in JSX text is not a string.
function endOfString(source: string, from: number): number | undefined {
  const found = /^(["'])(?:\\[\s\S]|(?!\1)[^\\\n])*\1/.exec(
    source.slice(from, endOfStringLine(source, from)),
  );
  return found ? from + found[0].length : undefined;
}

function endOfStringLine(source: string, from: number): number {
  let end = endOfLine(source, from);
  while (source[end - 1] === "\\" && end < source.length) end = endOfLine(source, end + 1);
  return end;
}

function endOfRegex(source: string, from: number): number | undefined {
  const line = source.slice(from, endOfLine(source, from));
  const found = /^\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+\//.exec(line);
  return found ? from + found[0].length : undefined;
}

// A slash is a division after a value, and the start of a regular expression anywhere else.
function startsRegex(masked: readonly string[], at: number): boolean {
  let index = at - 1;
  while (index >= 0 && /\s/.test(masked[index] ?? "")) index--;
  const before = masked[index];
  if (before === undefined) return true;
  if (!/[\w$)\]}"'`\0]/.test(before)) return true;
  if (!/[\w$]/.test(before)) return false;
  let start = index;
  while (start > 0 && /[\w$]/.test(masked[start - 1] ?? "")) start--;
  return keywordsBeforeRegex.has(masked.slice(start, index + 1).join(""));
}
