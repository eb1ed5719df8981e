import { nextToken, type TokenReader } from "./read-tokens.ts";

/** Where a full-text index keeps its text: in a copy of its own, in another table, or nowhere that can be read. */
export type SearchKind = "own" | "external" | "unreadable";

/**
 * The module and the arguments of a `CREATE VIRTUAL TABLE` as SQLite stores it.
 * @returns `undefined` when `sql` is not such a statement
 */
export function parseVirtualTable(
  sql: string,
): { readonly module: string; readonly args: readonly string[] } | undefined {
  const reader = { sql, at: 0 };
  const next = () => textOf(reader);
  for (const word of ["create", "virtual", "table"]) if (next()?.toLowerCase() !== word) return undefined;
  const name = next();
  if (name === undefined || next()?.toLowerCase() !== "using") return undefined;
  const module = next();
  const args = readArguments(reader);
  if (module === undefined || args === undefined) return undefined;
  return { module: unquote(module).toLowerCase(), args };
}

/** What kind of FTS5 table the arguments describe (SQLite documentation, FTS5 4.4). */
export function searchKindOf(args: readonly string[]): SearchKind {
  let kind: SearchKind = "own";
  for (const argument of args) {
    const [, key, value] = optionPattern.exec(argument) ?? [];
    if (key === undefined || value === undefined) continue;
    const option = optionOf(key);
    if (option === "content") kind = unquote(value.trim()) === "" ? "unreadable" : "external";
    else if (option === "locale" || option.startsWith("contentless")) return "unreadable";
  }
  return kind;
}

/**
 * How many times the size of its text a full-text index may take on the disk, in addition to the tables that it reads.
 * A trigram index has an entry for each position of a text, and each prefix length is a further index.
 */
export function searchCopiesOf(args: readonly string[]): number {
  let copies = 1;
  for (const argument of args) {
    const [, key = "", value = ""] = optionPattern.exec(argument) ?? [];
    const option = optionOf(key);
    if (option === "tokenize" && /trigram/i.test(value)) copies += trigramCopies;
    if (option === "prefix") copies += value.match(/\d+/g)?.length ?? 0;
  }
  return copies;
}

const trigramCopies = 9;
const optionPattern = /^\s*([A-Za-z0-9_]+)\s*=\s*([\s\S]*)$/;

// FTS5 accepts the beginning of an option's name, and takes the first option in this order that matches.
const options = [
  "prefix",
  "tokenize",
  "content",
  "contentless_delete",
  "contentless_unindexed",
  "content_rowid",
  "columnsize",
  "locale",
  "detail",
  "tokendata",
];

function optionOf(key: string): string {
  if (key === "") return "";
  return options.find((option) => option.startsWith(key.toLowerCase())) ?? "";
}

function textOf(reader: TokenReader): string | undefined {
  const token = nextToken(reader);
  return token === undefined ? undefined : reader.sql.slice(token.start, token.end);
}

/**
 * The text between the parentheses, split at the commas that are not within inner parentheses. Each argument goes from
 * its first token to its last, as the module gets it. Without parentheses, the list is empty.
 * @returns `undefined` when the parentheses are not closed, or something follows them
 */
function readArguments(reader: TokenReader): readonly string[] | undefined {
  const { sql } = reader;
  const opening = textOf(reader);
  if (opening !== "(") return opening === undefined ? [] : undefined;
  const args: string[] = [];
  let [depth, start, end] = [0, -1, -1];
  for (let token = nextToken(reader); token !== undefined; token = nextToken(reader)) {
    const sign = token.end === token.start + 1 ? sql.charAt(token.start) : "";
    if (depth === 0 && (sign === "," || sign === ")")) {
      if (start !== -1) args.push(sql.slice(start, end));
      if (sign === ")") return nextToken(reader) === undefined ? args : undefined;
      start = -1;
      continue;
    }
    if (sign === "(") depth++;
    else if (sign === ")") depth--;
    if (start === -1) start = token.start;
    end = token.end;
  }
  return undefined;
}

function unquote(text: string): string {
  const quote = text[0];
  if (quote === "[" && text.endsWith("]")) return text.slice(1, -1);
  if (quote === undefined || !"\"'`".includes(quote) || !text.endsWith(quote)) return text;
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}
