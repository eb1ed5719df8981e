import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { parseVirtualTable, searchKindOf } from "./search-index.ts";

const stored = (sql: string) => {
  const database = new DatabaseSync(":memory:");
  database.exec(sql);
  const { text } =
    database.prepare("SELECT sql AS text FROM sqlite_schema WHERE sql LIKE '%VIRTUAL%'").get() ?? {};
  database.close();
  return parseVirtualTable(String(text));
};

test.each([
  ["no blanks", "CREATE VIRTUAL TABLE x USING fts5(a,b)", ["a", "b"]],
  ["blanks and line ends", "create virtual table x using\nFTS5 (\n a ,\tb )", ["a", "b"]],
  [
    "quoted names with quotes in them",
    `CREATE VIRTUAL TABLE "y]""" USING 'fts5'(a, "b,(", [c,"])`,
    ["a", '"b,("', '[c,"]'],
  ],
  [
    "options",
    "CREATE VIRTUAL TABLE x USING fts5(a, prefix = '2 3', tokenize=\"trigram\")",
    ["a", "prefix = '2 3'", 'tokenize="trigram"'],
  ],
  [
    "comments in which quotes and brackets open",
    "CREATE VIRTUAL TABLE x /* [ */ USING fts5 -- it's\n(a /*[[[*/, b -- \"\n, content='')",
    ["a", "b", "content=''"],
  ],
])("a virtual table with %s is read as SQLite read it", (_what, sql, args) => {
  expect(stored(sql)).toEqual({ module: "fts5", args });
});

test("what a comment hides from the eye still tells where an index has its text", () => {
  expect(
    searchKindOf(
      stored("CREATE VIRTUAL TABLE x USING fts5(a /* it's */, content='', b /* ' */)")?.args ?? [],
    ),
  ).toBe("unreadable");
});

test.each([
  ["an open quote", 'CREATE VIRTUAL TABLE x USING fts5(a, "b)'],
  ["an open bracket", "CREATE VIRTUAL TABLE x USING fts5(a, [b)"],
  ["an open comment", "CREATE VIRTUAL TABLE x USING fts5(a /*, b)"],
  ["open parentheses", "CREATE VIRTUAL TABLE x USING fts5(a, (b)"],
  ["more behind it", "CREATE VIRTUAL TABLE x USING fts5(a) b"],
  ["no module", "CREATE VIRTUAL TABLE x USING"],
  ["another kind", "CREATE TABLE x(a)"],
])("a definition with %s is none of a virtual table", (_what, sql) => {
  expect(parseVirtualTable(sql)).toBeUndefined();
});

test("a virtual table without arguments has none", () => {
  expect(parseVirtualTable("CREATE VIRTUAL TABLE x USING dbstat")).toEqual({ module: "dbstat", args: [] });
});
