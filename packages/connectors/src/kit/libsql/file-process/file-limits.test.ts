import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { parseVirtualTable, searchCopiesOf } from "../search-index.ts";
import { randomOf } from "../testing/hostile-schemas.ts";
import { fileBytesFor } from "./file-limits.ts";

const random = randomOf(7);
const words = (count: number) =>
  Array.from({ length: count }, () => random().toString(36).slice(2, 9)).join(" ");
const numbers = Array.from("abcdefghi");
/** What a database of its own takes, whatever it holds. */
const emptyBytes = fileBytesFor(0, 0);

/** How many bytes a file has of so many texts, and how many those take in a dump. */
function fileOf(statements: readonly string[], insert: string, text: () => string) {
  const database = new DatabaseSync(":memory:");
  for (const sql of statements) database.exec(sql);
  const row = database.prepare(insert);
  database.exec("BEGIN");
  let dumpBytes = 0;
  for (let count = 0; count < 10_000; count++) {
    const one = text();
    dumpBytes += `r["${one}"]\n`.length;
    row.run(one);
  }
  database.exec("COMMIT");
  const { bytes } = database.prepare("SELECT page_count*4096 AS bytes FROM pragma_page_count").get() ?? {};
  database.close();
  return { fileBytes: Number(bytes), dumpBytes };
}

test.each([
  ["plain", "fts5(x)", 1],
  ["of prefixes", "fts5(x, prefix='2 3 4')", 4],
  ["of trigrams", "fts5(x, tokenize='trigram')", 10],
  ["of trigrams, in FTS5's shorthand", 'fts5(x, tok = "trigram case_sensitive 1")', 10],
])("a full-text index %s has room for its copies of short titles", (_what, using, copies) => {
  const sql = `CREATE VIRTUAL TABLE f USING ${using}`;
  expect(searchCopiesOf(parseVirtualTable(sql)?.args ?? [])).toBe(copies);
  const { fileBytes, dumpBytes } = fileOf([sql], "INSERT INTO f(x) VALUES(?)", () => words(8));
  expect(fileBytes).toBeLessThan(fileBytesFor(dumpBytes, copies) - emptyBytes);
});

test("nine indexes of a table without row ids have room for its long key in each", () => {
  const statements = [
    `CREATE TABLE w(k TEXT PRIMARY KEY, ${numbers.map((name) => `${name} INT`).join(",")}) WITHOUT ROWID`,
    ...numbers.map((name) => `CREATE INDEX w_${name} ON w(${name})`),
  ];
  const { fileBytes, dumpBytes } = fileOf(statements, "INSERT INTO w(k) VALUES(?)", () => words(24));
  // Six of the indexes would not do.
  expect(fileBytes).toBeGreaterThan(fileBytesFor(dumpBytes, 6) - emptyBytes);
  expect(fileBytes).toBeLessThan(fileBytesFor(dumpBytes, numbers.length + 1) - emptyBytes);
});
