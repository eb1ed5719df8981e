/** One token of SQL as SQLite reads it, comments and white space left out. */
export type SqlToken = {
  /** `name`: an identifier or a keyword; `string`: in single quotes; `sign`: anything else, a character or a variable. */
  readonly kind: "name" | "string" | "sign";
  /** Decoded: without its quotes. */
  readonly text: string;
  /** Whether it stands in quotes or brackets; a keyword never does. */
  readonly quoted: boolean;
};

/**
 * Reads SQL into tokens the way SQLite does.
 *
 * @returns undefined for text that SQLite refuses, or that another reader could take apart in another way:
 * an open quote, a NUL, a variable with a `(` at its end
 */
export function readSqlTokens(sql: string): readonly SqlToken[] | undefined {
  if (sql.includes("\0")) return undefined;
  const tokens: SqlToken[] = [];
  let at = 0;
  while (at < sql.length) {
    const gapEnd = endOfGap(sql, at);
    if (gapEnd > at) {
      at = gapEnd;
      continue;
    }
    const close = closingQuotes[sql.charAt(at)];
    if (close !== undefined) {
      const end = endOfQuoted(sql, at, close);
      if (end === undefined) return undefined;
      const text = sql.slice(at + 1, end);
      const decoded = close === "]" ? text : text.replaceAll(close + close, close);
      tokens.push({ kind: close === "'" ? "string" : "name", text: decoded, quoted: true });
      at = end + 1;
      continue;
    }
    const name = matchAt(namePattern, sql, at);
    const text =
      name ?? matchAt(variablePattern, sql, at) ?? matchAt(digitsPattern, sql, at) ?? sql.charAt(at);
    at += text.length;
    if (name === undefined && variableStart.test(text) && sql.charAt(at) === "(") return undefined;
    tokens.push({ kind: name === undefined ? "sign" : "name", text, quoted: false });
  }
  return tokens;
}

const closingQuotes: Readonly<Record<string, string>> = { '"': '"', "`": "`", "'": "'", "[": "]" };
const namePattern = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const variablePattern = /[?$@:#][\w$\u0080-\uffff]*/y;
const variableStart = /^[?$@:#]/;
const digitsPattern = /\d+/y;
// SQLite takes a byte order mark for white space wherever a token may begin.
const spacePattern = /[ \t\n\f\r\ufeff]+/y;

function endOfGap(sql: string, at: number): number {
  if (sql.startsWith("--", at)) return endAfter(sql, "\n", at);
  if (sql.startsWith("/*", at)) return endAfter(sql, "*/", at + 2);
  return at + (matchAt(spacePattern, sql, at)?.length ?? 0);
}

function endAfter(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from);
  return found === -1 ? sql.length : found + mark.length;
}

/** Where the closing quote stands; a doubled one is a character of the text, except in brackets. */
function endOfQuoted(sql: string, start: number, close: string): number | undefined {
  let end = sql.indexOf(close, start + 1);
  while (end !== -1 && close !== "]" && sql.charAt(end + 1) === close) end = sql.indexOf(close, end + 2);
  return end === -1 ? undefined : end;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
