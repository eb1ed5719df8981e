export type PastedEntry = { readonly name: string; readonly value: string };

/** A line that gave no variable. It is told by its number, because its text may hold a secret. */
export type IgnoredLine = {
  readonly line: number;
  readonly reason: "not_a_variable" | "unclosed_quote";
};

export type PastedEnv = {
  readonly entries: readonly PastedEntry[];
  readonly ignored: readonly IgnoredLine[];
};

/**
 * Splits pasted text into variables: the lines of a `.env` file (also with `export`, `NAME: value`, quotes
 * over several lines, comments, Windows line ends), or a JSON object of texts.
 *
 * A `#` begins a comment only after white space: some readers cut `a#b` at the sign, and a key that is
 * silently cut is worse than a comment too much. In double quotes `\n` and `\r` are line ends, as in dotenv.
 * Of a name given twice the last value counts. Never throws; takes time linear in the text.
 */
export function parsePastedEnv(text: string): PastedEnv {
  const plain = text.replace(/^\uFEFF/, "");
  return parseJsonObject(plain) ?? parseLines(plain.split(/\r\n|\n|\r/));
}

const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]{0,254})[ \t]*(?:=|:[ \t])[ \t]*(.*)$/su;
const emptyOrComment = /^\s*(?:#.*)?$/su;

function parseLines(lines: readonly string[]): PastedEnv {
  const entries = new Map<string, string>();
  const ignored: IgnoredLine[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (emptyOrComment.test(line)) continue;
    const [, name, rest] = assignment.exec(line) ?? [];
    if (name === undefined || rest === undefined) {
      ignored.push({ line: at + 1, reason: "not_a_variable" });
      continue;
    }
    const quote = rest[0] ?? "";
    if (!/^["'`]/.test(rest)) {
      set(entries, name, withoutComment(rest));
      continue;
    }
    const quoted = readQuoted(lines, at, rest);
    if (quoted === undefined) {
      ignored.push({ line: at + 1, reason: "unclosed_quote" });
    } else {
      set(entries, name, quote === '"' ? quoted.value.replace(/\\([nr])/g, unescapeLineEnd) : quoted.value);
      at = quoted.lastLine;
    }
  }
  return { entries: [...entries].map(([name, value]) => ({ name, value })), ignored };
}

const unescapeLineEnd = (_: string, sign: string) => (sign === "n" ? "\n" : "\r");

/** The text between a quote and the same quote, which nothing but a comment may follow. */
function readQuoted(
  lines: readonly string[],
  first: number,
  rest: string,
): { readonly value: string; readonly lastLine: number } | undefined {
  const quote = rest[0] ?? "";
  const inside = rest.slice(1);
  // Within one line the last quote may close, so `"it "is" so"` is read; over lines the first one must.
  const ends = [inside.indexOf(quote), inside.lastIndexOf(quote)].filter((end) => end !== -1);
  const closing = ends.find((end) => emptyOrComment.test(inside.slice(end + 1)));
  if (closing !== undefined) return { value: inside.slice(0, closing), lastLine: first };
  if (ends.length > 0) return undefined;
  for (let at = first + 1; at < lines.length; at++) {
    const text = lines[at] ?? "";
    const end = text.indexOf(quote);
    if (end === -1) continue;
    if (!emptyOrComment.test(text.slice(end + 1))) return undefined;
    return { value: [inside, ...lines.slice(first + 1, at), text.slice(0, end)].join("\n"), lastLine: at };
  }
  return undefined;
}

function withoutComment(rest: string): string {
  const comment = /(?:^|\s)#/u.exec(rest);
  return (comment === null ? rest : rest.slice(0, comment.index)).trim();
}

function parseJsonObject(text: string): PastedEnv | undefined {
  if (!/^\s*\{/u.test(text)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const entries = Object.entries(parsed).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? [{ name, value: String(value) }]
      : [],
  );
  return { entries, ignored: [] };
}

/** A name given again moves to its last place, so that the order is the order in which values count. */
function set(entries: Map<string, string>, name: string, value: string): void {
  entries.delete(name);
  entries.set(name, value);
}
