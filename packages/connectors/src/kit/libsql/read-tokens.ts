/** Reads SQL from start to end and looks at every character once. `at` is the current position. */
export type TokenReader = { readonly sql: string; at: number };

/** The position of a token in the SQL that is read. */
export type Token = { readonly start: number; readonly end: number };

/**
 * The next word, quoted text or single character after blanks and comments, by SQLite's rules (`tokenize.c`). A quote
 * that is never closed, which no valid statement has, extends to the end.
 * @returns `undefined` at the end
 */
export function nextToken(reader: TokenReader): Token | undefined {
  const { sql } = reader;
  const start = skipBlanks(reader);
  if (start >= sql.length) return undefined;
  const sign = sql.charAt(start);
  const end = quotes.has(sign) ? endOfQuoted(sql, start, quotes.get(sign) ?? sign) : endOfWord(sql, start);
  reader.at = end;
  return { start, end };
}

const blanks = " \t\n\f\r";
const quotes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ["[", "]"],
]);

/** Skips blanks and comments; a comment that is never closed extends to the end. */
function skipBlanks(reader: TokenReader): number {
  const { sql } = reader;
  for (;;) {
    while (reader.at < sql.length && blanks.includes(sql.charAt(reader.at))) reader.at++;
    const isLine = sql.startsWith("--", reader.at);
    if (!isLine && !sql.startsWith("/*", reader.at)) return reader.at;
    const closing = isLine ? "\n" : "*/";
    const end = sql.indexOf(closing, reader.at + 2);
    reader.at = end === -1 ? sql.length : end + closing.length;
  }
}

/** The position after the closing quote. A doubled quote stands for one, except for brackets. */
function endOfQuoted(sql: string, start: number, closing: string): number {
  for (let end = sql.indexOf(closing, start + 1); end !== -1; end = sql.indexOf(closing, end + 2)) {
    if (closing === "]" || sql.charAt(end + 1) !== closing) return end + 1;
  }
  return sql.length;
}

function endOfWord(sql: string, start: number): number {
  let end = start;
  while (end < sql.length && isOfWord(sql.charCodeAt(end))) end++;
  return Math.max(end, start + 1);
}

/** Letters, digits, `_`, `$`, and everything beyond ASCII. */
function isOfWord(code: number): boolean {
  if (code >= 128) return true;
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 36
  );
}
