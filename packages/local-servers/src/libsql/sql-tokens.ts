/** One token of SQL as SQLite reads it, comments and white space left out. */
export type SqlToken = {
  /** `name`: identifier or keyword; `string`: in single quotes; `sign`: a variable, another value, or one character. */
  readonly kind: "name" | "string" | "sign";
  /** Decoded: without its quotes. */
  readonly text: string;
  /** Whether it stands in quotes or brackets; a keyword never does. */
  readonly quoted: boolean;
  /** Where it begins in the SQL. */
  readonly at: number;
};

/** The kind of a token, decided by its first characters; `value` is a number, a blob or a variable. */
type ScannedKind = "word" | "quoted" | "value" | "sign";

const tokensMax = 1_000_000;

/**
 * Reads SQL into tokens the way SQLite does.
 *
 * @returns undefined for text that SQLite refuses or that another parser could split differently
 * (an open quote, a NUL, a variable followed by `(`), and for more than a million tokens
 */
export function readSqlTokens(sql: string): readonly SqlToken[] | undefined {
  const tokens: SqlToken[] = [];
  const whole = scanSql(sql, (kind, start, end) => {
    tokens.push(tokenOf(sql, kind, start, end));
    return tokens.length <= tokensMax;
  });
  return whole ? tokens : undefined;
}

/**
 * An upper bound for how deep the expressions of this SQL nest: the operators, words and opening parentheses
 * between two commas, plus the deepest nesting in the parentheses there. Numbers, texts and variables do not count.
 * @returns undefined for SQL that cannot be read; counting stops once there are more than `enough`
 */
export function longestChain(sql: string, enough: number): number | undefined {
  const open: Level[] = [newLevel()];
  let longest = 0;
  let level = open[0] ?? newLevel();
  const close = () => {
    const inner = depthOf(level);
    open.pop();
    level = open.at(-1) ?? newLevel();
    if (open.length === 0) open.push(level);
    level.inner = Math.max(level.inner, inner);
    longest = Math.max(longest, depthOf(level));
  };
  const closeAll = () => {
    while (open.length > 1) close();
    longest = Math.max(longest, depthOf(level));
  };
  const whole = scanSql(sql, (kind, at) => {
    const sign = kind === "sign" ? sql.charCodeAt(at) : 0;
    if (sign === codes.comma) {
      Object.assign(level, { earlier: depthOf(level), length: 0, inner: 0 });
    } else if (sign === codes.semicolon) {
      closeAll();
      level = newLevel();
      open.splice(0, 1, level);
    } else if (sign === codes.open) {
      level.length++;
      level = newLevel();
      open.push(level);
    } else if (sign === codes.close) close();
    else if (kind === "word" || kind === "sign") level.length++;
    return Math.max(longest, open.length - 1 + level.length) <= enough;
  });
  if (!whole && Math.max(longest, open.length - 1 + level.length) <= enough) return undefined;
  if (open.length - 1 > enough) return open.length;
  closeAll();
  return longest;
}

/** Counts for one pair of parentheses: `length` and `inner` since the last comma, `earlier` the deepest item before. */
type Level = { length: number; inner: number; earlier: number };

function newLevel(): Level {
  return { length: 0, inner: 0, earlier: 0 };
}

function depthOf({ length, inner, earlier }: Level): number {
  return Math.max(earlier, length + inner);
}

/**
 * Calls `visit` for each token until it returns false.
 * @returns whether the end was reached; also false for SQL that cannot be read
 */
function scanSql(sql: string, visit: (kind: ScannedKind, start: number, end: number) => boolean): boolean {
  if (sql.includes("\0")) return false;
  let at = 0;
  while (at < sql.length) {
    const gapEnd = endOfGap(sql, at);
    if (gapEnd > at) {
      at = gapEnd;
      continue;
    }
    const kind = kindOf(sql, at);
    const end = endOfToken(sql, at, kind);
    if (end === undefined || !visit(kind, at, end)) return false;
    at = end;
  }
  return true;
}

const codes = {
  quote: 39,
  open: 40,
  close: 41,
  comma: 44,
  minus: 45,
  slash: 47,
  semicolon: 59,
  question: 63,
  byteOrderMark: 0xfeff,
};
const closingQuotes: Readonly<Record<string, string>> = { '"': '"', "`": "`", "'": "'", "[": "]" };

// Indexed by character code below 128; every other character is part of a word.
const asciiKinds = Array.from({ length: 128 }, (_none, code): ScannedKind => {
  const char = String.fromCharCode(code);
  if (/[A-Za-z_]/.test(char)) return "word";
  if (/[\d?$@:#]/.test(char)) return "value";
  return char in closingQuotes ? "quoted" : "sign";
});
const wordPart = Array.from({ length: 128 }, (_none, code) => /[\w$]/.test(String.fromCharCode(code)));
const space = Array.from({ length: 128 }, (_none, code) => /[ \t\n\v\f\r]/.test(String.fromCharCode(code)));

function kindOf(sql: string, at: number): ScannedKind {
  return startsBlob(sql, at) ? "value" : (asciiKinds[sql.charCodeAt(at)] ?? "word");
}

function endOfToken(sql: string, at: number, kind: ScannedKind): number | undefined {
  if (kind === "sign") return at + 1;
  if (kind === "word") return endOfWord(sql, at);
  if (kind === "quoted") {
    const end = endOfQuoted(sql, at, closingQuotes[sql.charAt(at)] ?? "");
    return end === undefined ? undefined : end + 1;
  }
  return endOfValue(sql, at);
}

function endOfValue(sql: string, at: number): number | undefined {
  const code = sql.charCodeAt(at);
  // Letters right after `?1` are a separate word.
  if (isDigit(code) || code === codes.question) return endOfDigits(sql, at + 1);
  if (startsBlob(sql, at)) {
    const close = sql.indexOf("'", at + 2);
    return close === -1 ? undefined : close + 1;
  }
  const end = endOfWord(sql, at + 1);
  return sql.charCodeAt(end) === codes.open ? undefined : end;
}

/** Whether a blob begins here. It ends at the next quote; a second quote right after that begins a new token. */
function startsBlob(sql: string, at: number): boolean {
  return sql.charCodeAt(at + 1) === codes.quote && /[xX]/.test(sql.charAt(at));
}

function tokenOf(sql: string, kind: ScannedKind, start: number, end: number): SqlToken {
  if (kind !== "quoted")
    return { kind: kind === "word" ? "name" : "sign", text: sql.slice(start, end), quoted: false, at: start };
  const close = closingQuotes[sql.charAt(start)] ?? "";
  const text = sql.slice(start + 1, end - 1);
  const decoded = close === "]" ? text : text.replaceAll(close + close, close);
  return { kind: close === "'" ? "string" : "name", text: decoded, quoted: true, at: start };
}

function endOfGap(sql: string, at: number): number {
  const code = sql.charCodeAt(at);
  if (code === codes.minus && sql.charCodeAt(at + 1) === codes.minus) return endAfter(sql, "\n", at);
  if (code === codes.slash && sql.startsWith("/*", at)) return endAfter(sql, "*/", at + 2);
  // SQLite takes a byte order mark for white space wherever a token may begin.
  return space[code] === true || code === codes.byteOrderMark ? at + 1 : at;
}

function endAfter(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from);
  return found === -1 ? sql.length : found + mark.length;
}

function endOfWord(sql: string, start: number): number {
  let end = start;
  while (end < sql.length && wordPart[sql.charCodeAt(end)] !== false) end++;
  return end;
}

function endOfDigits(sql: string, start: number): number {
  let end = start;
  while (isDigit(sql.charCodeAt(end))) end++;
  return end;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** The index of the closing quote, if there is one. A doubled quote is part of the text, except in brackets. */
function endOfQuoted(sql: string, start: number, close: string): number | undefined {
  let end = sql.indexOf(close, start + 1);
  while (end !== -1 && close !== "]" && sql.charAt(end + 1) === close) end = sql.indexOf(close, end + 2);
  return end === -1 ? undefined : end;
}
