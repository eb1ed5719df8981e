/** How a full-text index holds what it finds: its own copy, another table's rows, or nothing that could be read. */
export type SearchKind = "own" | "external" | "unreadable";

/**
 * The module and the arguments of a `CREATE VIRTUAL TABLE` as SQLite stores it.
 * @returns `undefined` when it is not one
 */
export function parseVirtualTable(
  sql: string,
): { readonly module: string; readonly args: readonly string[] } | undefined {
  const found =
    /^CREATE\s+VIRTUAL\s+TABLE\s+(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|[^\s"'`[\]]+)\s+USING\s+("(?:[^"]|"")*"|[^\s(]+)\s*(?:\(([\s\S]*)\)\s*)?$/i.exec(
      sql.trim(),
    );
  const module = found?.[1];
  if (module === undefined) return undefined;
  return { module: unquote(module).toLowerCase(), args: splitArguments(found?.[2] ?? "") };
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
 * How many times the text that it is made of an index may take on the disk, beside the tables that it reads. Each
 * place of a text is an entry of a trigram index, and each length of prefixes is an index more.
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

// FTS5 takes any beginning of an option's name for the whole, the first in this order.
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

/** Splits at commas that stand outside quotes and brackets. */
function splitArguments(text: string): string[] {
  const parts = text.match(/(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|[^,])+/g);
  return parts === null ? [] : [...parts];
}

function unquote(text: string): string {
  const quote = text[0];
  if (quote === "[" && text.endsWith("]")) return text.slice(1, -1);
  if (quote === undefined || !"\"'`".includes(quote) || !text.endsWith(quote)) return text;
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}
