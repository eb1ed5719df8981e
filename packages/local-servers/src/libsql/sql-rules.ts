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

// Functions that the server offers to every token and that reach past the one database: to files of the machine,
// to text that is run as SQL (sha3_query), to memory (fts3_tokenizer), to programs (edit, load_extension).
const functions: ReadonlySet<string> = new Set([
  "readfile",
  "writefile",
  "edit",
  "load_extension",
  "sha3_query",
  "fts3_tokenizer",
]);
// These do harm without being called: a table that lists and reads folders, the raw pages of a database file, and
// the pragma that makes the schema's own text writable.
const anywhere: ReadonlySet<string> = new Set(["fsdir", "sqlite_dbpage", "writable_schema"]);
const vectorIndex = "libsql_vector_idx";
// These recurse as deep as their data, and a stack overflow ends the server for all databases: `patterns` on the
// parentheses in a pattern, `trees` on rows, which they keep in an unbalanced tree.
const patterns: ReadonlySet<string> = new Set(["regexp", "regexpi"]);
const trees: ReadonlySet<string> = new Set(["mode", "median", "lower_quartile", "upper_quartile"]);
const patternCharactersMax = 1_000;
// `sizes` allocate as much memory as an argument says, calculate it in 32 bits and write past its end, which ends the
// server; and `replicate` counts to any number.
// `vector_top_k` calculates the space for its rows in the same way, from its last argument.
const nearest = "vector_top_k";
const sizes: ReadonlySet<string> = new Set(["replicate", "padl", "padr", "padc"]);

/**
 * The most operators in one expression. SQLite accepts trees that are at most 1,000 deep, but a tree balanced by
 * parentheses may have far more operators; the server's stacks hold more than 500,000.
 */
export const chainMax = 100_000;

// An app may well have a table `edit`, or names that contain that word; the server has no such function.
const inNames = [...functions, ...anywhere].filter((word) => word !== "edit");
const mention = new RegExp(
  [...functions, ...anywhere, vectorIndex, ...patterns, ...trees, ...sizes, nearest].join("|"),
  "i",
);
const mentionInName = new RegExp(inNames.join("|"), "i");
// These are common words, so they are refused only in a name with a quote in it, which may end the name early.
const recursiveInName = new RegExp(
  `^(?=.*").*?(${[...patterns, ...trees, ...sizes, nearest].join("|")})`,
  "is",
);

/** Whether a text contains any of the refused words, in any role: a text without them needs no closer look. */
export function mentionsRefused(text: string): boolean {
  return mention.test(text);
}

/**
 * Describes what the gateway refuses in the SQL; undefined if all of it may pass.
 *
 * Words are compared as SQLite decodes them: bare, quoted or in brackets, in any case. A column, a table or a
 * string with such a name is not refused where it can be nothing else.
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
  // FTS4 calls the functions that its options name. The first word of an argument is a column.
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
  // The server builds SQL from some names without quoting them: those of vector indexes, and of all that a dump has.
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

/** Whether the pattern of a call, or of the operator, is one short string and not part of a larger expression. */
function hasPlainPattern(tokens: readonly SqlToken[], index: number, called: boolean): boolean {
  const pattern = tokens[index + (called ? 2 : 1)];
  const after = tokens[index + (called ? 3 : 2)];
  if (pattern?.kind !== "string" || pattern.text.length > patternCharactersMax) return false;
  // Other signs, such as `||`, join the text with what follows before the operator is applied.
  return called ? isSign(after, ",") : after?.kind !== "sign" || /^[),;=!]$/.test(after.text);
}

/** Whether a call has three arguments and the last is a number of at most six digits, which is safe. */
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

/** The most tokens of a call that are read, so that reading nested calls takes time in proportion to their bytes. */
const callTokensMax = 1_000;

/** Whether a token is a name, or a string that may name something that the statement creates or alters. */
function isName(tokens: readonly SqlToken[], index: number, state: StatementState): boolean {
  if (tokens[index]?.kind === "name") return true;
  return (state.words.has("CREATE") || state.words.has("ALTER")) && !isValue(tokens, index, state);
}

/** Whether a string can only be a value; elsewhere SQLite may read a string as a name. */
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

/** Whether a name before `(` is a table whose columns follow: a function call is not possible there. */
function isTableName(tokens: readonly SqlToken[], index: number, state: StatementState): boolean {
  if (state.words.has("VACUUM") || state.makes === "VIRTUAL") return false;
  const keyword = keywordOf(tokens[index - 1]);
  return keyword !== undefined && (beforeTables.has(keyword) || (keyword === "ON" && state.namesIndex));
}

const beforeTables: ReadonlySet<string> = new Set("INTO TABLE EXISTS REFERENCES WITH RECURSIVE".split(" "));
