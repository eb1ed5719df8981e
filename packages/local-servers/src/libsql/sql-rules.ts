import {
  createState,
  follow,
  inArguments,
  isOddName,
  isSign,
  keywordOf,
  type StatementState,
} from "./sql-statement.ts";
import { longestChain, readSqlTokens, type SqlToken } from "./sql-tokens.ts";

// What the server serves to every token and what reaches past the one database: files of the machine,
// text that is run as SQL (sha3_query), memory (fts3_tokenizer), programs (edit, load_extension).
const functions: ReadonlySet<string> = new Set([
  "readfile",
  "writefile",
  "edit",
  "load_extension",
  "sha3_query",
  "fts3_tokenizer",
]);
// These need no call: a table that lists and reads folders, the raw pages of a database file, and what
// makes the schema's own text writable.
const anywhere: ReadonlySet<string> = new Set(["fsdir", "sqlite_dbpage", "writable_schema"]);
const vectorIndex = "libsql_vector_idx";
// These call themselves as deep as their data goes, and a stack that is used up ends the server of all: the
// first two on parentheses in a pattern, the others on rows, which they keep in a tree that is not balanced.
const patterns: ReadonlySet<string> = new Set(["regexp", "regexpi"]);
const trees: ReadonlySet<string> = new Set(["mode", "median", "lower_quartile", "upper_quartile"]);
const patternCharactersMax = 1_000;
// These take as much memory as a number says, count it in 32 bits and write past its end, which ends the server; and
// `replicate` counts to any number.
// `vector_top_k` counts the places for its rows in the same way, by its last argument.
const nearest = "vector_top_k";
const sizes: ReadonlySet<string> = new Set(["replicate", "padl", "padr", "padc"]);

/**
 * The most operators in one expression. SQLite takes no deeper tree than 1,000, but what is balanced by
 * parentheses may have far more of them; the server's stacks hold more than 500,000.
 */
export const chainMax = 100_000;

// An app may well have a table `edit`, and its name in other names; the server has no such function.
const inNames = [...functions, ...anywhere].filter((word) => word !== "edit");
const mention = new RegExp(
  [...functions, ...anywhere, vectorIndex, ...patterns, ...trees, ...sizes, nearest].join("|"),
  "i",
);
const mentionInName = new RegExp(inNames.join("|"), "i");
// Common words, so only where a quote in the name lets it end early.
const recursiveInName = new RegExp(
  `^(?=.*").*?(${[...patterns, ...trees, ...sizes, nearest].join("|")})`,
  "is",
);

/** Whether a text has any of the words, in whatever role: whoever has none of them needs no closer look. */
export function mentionsRefused(text: string): boolean {
  return mention.test(text);
}

/**
 * What in the SQL the gateway does not let through, in words; undefined when all of it may pass.
 *
 * A word counts as SQLite decodes it: bare, quoted or in brackets, in any case. A column, a table or a
 * string of that name is not refused where it can be nothing else.
 */
export function refusedIn(sql: string): string | undefined {
  if (sql.length > chainMax) {
    const chain = longestChain(sql, chainMax);
    if (chain === undefined) return "SQL that cannot be read";
    if (chain > chainMax) return `more than ${chainMax} operators in one expression`;
  }
  if (!mentionsRefused(sql)) return undefined;
  const tokens = readSqlTokens(sql);
  if (tokens === undefined) return "SQL that cannot be read";
  const state = createState();
  for (const [index, token] of tokens.entries()) {
    const raw = sql.slice(token.at, tokens[index + 1]?.at);
    const refused = judgeToken(tokens, index, token, state) ?? judgeArgument(raw, state);
    if (refused !== undefined) return refused;
    follow(state, tokens, index);
  }
  return undefined;
}

function judgeToken(
  tokens: readonly SqlToken[],
  index: number,
  token: SqlToken,
  state: StatementState,
): string | undefined {
  if (token.kind === "sign") return undefined;
  const word = token.text.toLowerCase();
  const before = tokens[index - 1];
  const called = isSign(tokens[index + 1], "(") && !isTableName(tokens, index, state);
  // FTS4 calls the functions that its options name. What an argument begins with is a column.
  const option = inArguments(state) && !isSign(before, "(") && !isSign(before, ",");
  if ((functions.has(word) || trees.has(word) || sizes.has(word)) && (called || option)) return word;
  if (patterns.has(word) && (called || option || keywordOf(token) === "REGEXP")) {
    if (!hasPlainPattern(tokens, index, called)) return `${word} with a pattern that is not one short text`;
  }
  if (word === nearest && !(token.kind === "string" && isValue(tokens, index, state))) {
    if (!hasPlainCount(tokens, index))
      return `${nearest} without a count that is written out, of six digits at most`;
  }
  if (anywhere.has(word) && !(token.kind === "string" && isValue(tokens, index, state))) return word;
  // The server builds SQL from some names without quoting them: those of vector indexes, and of what it would dump.
  if (isOddName(token) && isName(tokens, index, state)) {
    const inside = mentionInName.exec(token.text)?.[0] ?? recursiveInName.exec(token.text)?.[1];
    if (inside !== undefined) return `${inside.toLowerCase()} inside a name`;
  }
  if (word === vectorIndex && state.oddIndexName) return "a vector index whose name is not one plain word";
  return undefined;
}

/** A virtual table's arguments are text: its module reads them in its own way, comments too. */
function judgeArgument(raw: string, state: StatementState): string | undefined {
  return inArguments(state) ? mentionInName.exec(raw)?.[0].toLowerCase() : undefined;
}

/** Whether the pattern of a call, or of the operator, is written out and stands alone. */
function hasPlainPattern(tokens: readonly SqlToken[], index: number, called: boolean): boolean {
  const pattern = tokens[index + (called ? 2 : 1)];
  const after = tokens[index + (called ? 3 : 2)];
  if (pattern?.kind !== "string" || pattern.text.length > patternCharactersMax) return false;
  // Other signs, such as `||`, bind the text to what follows before the operator has it.
  return called ? isSign(after, ",") : after?.kind !== "sign" || /^[),;=!]$/.test(after.text);
}

/** Whether a call has three arguments of which the last is a number written out that is no danger. */
function hasPlainCount(tokens: readonly SqlToken[], index: number): boolean {
  let depth = 0;
  let commas = 0;
  for (let at = index + 1; at <= index + callTokensMax; at++) {
    const token = tokens[at];
    if (token === undefined || (at === index + 1 && !isSign(token, "("))) return false;
    if (isSign(token, "(")) depth++;
    else if (isSign(token, ")")) depth--;
    else if (isSign(token, ",") && depth === 1) commas++;
    if (depth === 0) return false;
    if (commas < 2) continue;
    const count = tokens[at + 1];
    return count?.kind === "sign" && /^\d{1,6}$/.test(count.text) && isSign(tokens[at + 2], ")");
  }
  return false;
}

/** Of a call that is looked through; so many calls in one another take no longer than they have bytes. */
const callTokensMax = 1_000;

/** Whether a quoted text is, or may be, the name of something that is made. */
function isName(tokens: readonly SqlToken[], index: number, state: StatementState): boolean {
  if (tokens[index]?.kind === "name") return true;
  return (state.words.has("CREATE") || state.words.has("ALTER")) && !isValue(tokens, index, state);
}

/** Whether a string can be nothing but a value; elsewhere SQLite takes a string for a name. */
function isValue(tokens: readonly SqlToken[], index: number, state: StatementState): boolean {
  if (state.makes === "VIRTUAL" || state.words.has("PRAGMA") || isSign(tokens[index + 1], "(")) return false;
  const before = tokens[index - 1];
  const keyword = keywordOf(before);
  if (keyword !== undefined) return beforeValues.has(keyword);
  if (before?.kind !== "sign") return false;
  const inList = (state.lists.at(-1) ?? "other") !== "other";
  return /^[=<>|+\-*/%&~]$/.test(before.text) || (inList && /^[(,]$/.test(before.text));
}

const beforeValues: ReadonlySet<string> = new Set(
  "SELECT DISTINCT ALL WHERE AND OR NOT IS LIKE GLOB MATCH REGEXP CASE WHEN THEN ELSE BETWEEN HAVING BY DEFAULT RETURNING".split(
    " ",
  ),
);

/** Whether a name before `(` is that of a table whose columns follow: no function can stand there. */
function isTableName(tokens: readonly SqlToken[], index: number, state: StatementState): boolean {
  if (state.words.has("VACUUM") || state.makes === "VIRTUAL") return false;
  const keyword = keywordOf(tokens[index - 1]);
  return keyword !== undefined && (beforeTables.has(keyword) || (keyword === "ON" && state.namesIndex));
}

const beforeTables: ReadonlySet<string> = new Set("INTO TABLE EXISTS REFERENCES WITH RECURSIVE".split(" "));
