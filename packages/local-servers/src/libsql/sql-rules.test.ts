import { describe, expect, test } from "vitest";
import { refusedIn } from "./sql-rules.ts";
import { readSqlTokens } from "./sql-tokens.ts";

const calls = ["readfile", "writefile", "edit", "load_extension", "sha3_query", "fts3_tokenizer"];

describe("refused, in whatever way it is written:", () => {
  test.each(calls)("a call of %s", (name) => {
    for (const sql of [
      `SELECT ${name}('x')`,
      `SELECT ${name.toUpperCase()} ('x')`,
      `SELECT "${name}"('x')`,
      `SELECT [${name}]\n('x')`,
      `SELECT \`${name}\`\t('x')`,
      `SELECT ${name}/* ( */('x')`,
      `SELECT ${name}--'\n('x')`,
      `SELECT \ufeff${name} \ufeff('x')`,
      `SELECT 'it''s', ${name}('x')`,
      `CREATE VIEW v AS SELECT ${name}('x')`,
      `CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT ${name}('x'); END`,
      `SELECT 1; SELECT ${name}('x')`,
      `WITH c AS (SELECT ${name}('x')) SELECT * FROM c`,
      `SELECT * FROM t WHERE 1 = 1${name}('x')`,
      `CREATE VIRTUAL TABLE f USING fts4(x, uncompress=${name})`,
      `CREATE VIRTUAL TABLE f USING fts4(x, uncompress = '${name}')`,
      `SELECT 1 FROM t JOIN u ON ${name}('x')`,
      `VACUUM INTO ${name}('x')`,
    ]) {
      expect(refusedIn(sql), sql).toBe(name);
    }
  });

  test.each(["fsdir", "sqlite_dbpage", "writable_schema"])("%s anywhere", (name) => {
    for (const sql of [
      `SELECT * FROM ${name}`,
      `SELECT * FROM main.${name.toUpperCase()}`,
      `SELECT * FROM '${name}'('/etc')`,
      `SELECT * FROM a, '${name}'`,
      `SELECT * FROM ('${name}')`,
      `SELECT * FROM a JOIN '${name}'`,
      `SELECT 1 IN '${name}'`,
      `SELECT 1 IN (SELECT 1 FROM a, '${name}')`,
      `SELECT * FROM (VALUES ('x')), ('${name}')`,
      `SELECT * FROM "${name}"`,
      `PRAGMA ${name} = 1`,
      `PRAGMA '${name}' = 1`,
      `PRAGMA x = '${name}'`,
      `UPDATE [${name}] SET data = x''`,
      `UPDATE '${name}' SET data = x''`,
      `CREATE VIRTUAL TABLE f USING ${name}`,
      `CREATE VIRTUAL TABLE f USING fts5(x, content='${name}')`,
      `INSERT INTO '${name}' VALUES (1)`,
    ]) {
      expect(refusedIn(sql), sql).toBe(name);
    }
  });

  test.each([
    [
      "a table name that the server writes into a query when it dumps",
      `CREATE TABLE "a"", readfile('x') --" (a)`,
    ],
    ["a column name", `CREATE TABLE t (a, "b"", READFILE('x') AS ""c" text)`],
    ["a new name", `ALTER TABLE t RENAME TO "x"", fsdir('/') --"`],
    ["a name in single quotes", `CREATE TABLE 'a" , readfile(1) --' (a)`],
  ])("a call inside %s", (_where, sql) => {
    expect(refusedIn(sql)).toMatch(/^(readfile|fsdir) inside a name$/);
  });

  test.each([
    `CREATE INDEX "i(q); ATTACH DATABASE 'x' AS y; CREATE TABLE q" ON t (libsql_vector_idx(e))`,
    `CREATE INDEX IF NOT EXISTS main.'i(q); --' ON t ("libsql_vector_idx"(e))`,
    `CREATE INDEX [i j] ON t (LIBSQL_VECTOR_IDX/**/(e))`,
  ])("a vector index of whose name the server makes a statement: %s", (sql) => {
    expect(refusedIn(sql)).toContain("a vector index");
  });

  test.each([
    `SELECT 'open, readfile('x')`,
    `SELECT "readfile`,
    `SELECT $x(')readfile('/etc/passwd')`,
    `SELECT :x(' readfile ')`,
    "SELECT 1\0, readfile(1)",
  ])("what cannot be read and mentions one: %j", (sql) => {
    expect(refusedIn(sql)).toBe("SQL that cannot be read");
  });
});

test.each([
  "SELECT edit, readfile FROM notes WHERE edit > 1",
  'SELECT "edit" FROM notes ORDER BY edit',
  "CREATE TABLE edit (edit TEXT, at INTEGER)",
  'CREATE TABLE IF NOT EXISTS "edit" ("id" integer)',
  "INSERT INTO edit (edit) VALUES ('edit')",
  "CREATE INDEX i ON edit (edit)",
  "CREATE TABLE o (e REFERENCES edit(id))",
  "WITH edit(a) AS (SELECT 1) SELECT a FROM edit",
  "UPDATE notes SET body = edit WHERE id IN (1)",
  "CREATE VIRTUAL TABLE docs USING fts5(title, edit)",
  "SELECT 'readfile(''/etc/passwd'')', 'a fsdir in a text'",
  "INSERT INTO notes VALUES ('fsdir', 'writable_schema'), ('sqlite_dbpage', 'fsdir')",
  "SELECT * FROM notes WHERE body = 'fsdir' OR body IN ('x', 'writable_schema') OR body LIKE 'fsdir'",
  "SELECT 'fsdir'",
  "SELECT 1 -- readfile('x')",
  "SELECT 1 /* fsdir, readfile('x') */",
  "SELECT my_readfile('x'), readfiles('x'), fsdirs FROM t",
  "INSERT INTO log VALUES ('SELECT readfile(1); -- \"quoted\"')",
  "CREATE INDEX emb ON t (libsql_vector_idx(e, 'metric=cosine'))",
  'CREATE INDEX "emb_1" ON "my table" (libsql_vector_idx("my e"))',
  "SELECT credit(1), edited FROM t",
  "CREATE TABLE t (a TEXT DEFAULT 'edit (x)', b TEXT DEFAULT 'readfile(x)')",
])("passes: %s", (sql) => {
  expect(refusedIn(sql)).toBeUndefined();
});

test("a text of a megabyte is judged without running out of stack", () => {
  const filling = `'${"''".repeat(500_000)}'`;
  expect(refusedIn(`SELECT ${filling}, readfile('x')`)).toBe("readfile");
  expect(refusedIn(`SELECT 'readfile', ${filling}`)).toBeUndefined();
});

test.each([
  ['SELECT a."b""c"', ["SELECT", "a", ".", 'b"c']],
  ["[a]]b", ["a", "]", "b"]],
  ["'it''s' x'00'", ["it's", "x", "00"]],
  ["a--b\nc/*d*/e", ["a", "c", "e"]],
  ["/*/ a */ b", ["b"]],
  ["a /* open", ["a"]],
  ["\ufeffa\ufeffb", ["a\ufeffb"]],
  ["$a ?1 :b_c @d", ["$a", "?1", ":b_c", "@d"]],
  ["1.5e3 >= ä$1", ["1", ".", "5", "e3", ">", "=", "ä$1"]],
])("%j is read as SQLite reads it", (sql, texts) => {
  expect(readSqlTokens(sql)?.map(({ text }) => text)).toEqual(texts);
});
