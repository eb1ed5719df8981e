import { describe, expect, test } from "vitest";
import { chainMax, refusedIn } from "./sql-rules.ts";
import { longestChain, readSqlTokens } from "./sql-tokens.ts";

const calls = [
  ...["readfile", "writefile", "edit", "load_extension", "sha3_query", "fts3_tokenizer"],
  ...["mode", "median", "lower_quartile", "upper_quartile"],
  ...["replicate", "padl", "padr", "padc"],
];

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
      `CREATE VIRTUAL TABLE f USING fts4(x;, (;), uncompress=${name})`,
      `CREATE VIRTUAL TABLE f USING fts4(x; END;, uncompress='${name}')`,
      `SELECT 1; EXPLAIN CREATE/**/VIRTUAL TABLE f USING fts4((x);y, [uncompress] [${name}])`,
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
      `SELECT * FROM value\u017f ('${name}')`,
      `SELECT * FROM "${name}"`,
      `PRAGMA ${name} = 1`,
      `PRAGMA '${name}' = 1`,
      `PRAGMA x = '${name}'`,
      `UPDATE [${name}] SET data = x''`,
      `UPDATE '${name}' SET data = x''`,
      `CREATE VIRTUAL TABLE f USING ${name}`,
      `CREATE VIRTUAL TABLE f USING fts5(x, content='${name}')`,
      `CREATE VIRTUAL TABLE f USING fts4(x, y;, content='${name}')`,
      `CREATE VIRTUAL TABLE f USING fts4(x, ;/* "${name}" */y)`,
      `CREATE VIRTUAL TABLE f USING fts4(x, y;, 'my_${name}s')`,
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
    ["a name that ends early", `CREATE TABLE "t"" UNION SELECT regexp(a, 1) --" (a)`],
    ["a name in single quotes", `CREATE TABLE 'a" , readfile(1) --' (a)`],
    [
      "a later statement of a trigger",
      `CREATE TRIGGER g DELETE ON t BEGIN SELECT 1; SELECT 1 'readfile()'; END`,
    ],
  ])("a call inside %s", (_where, sql) => {
    expect(refusedIn(sql)).toMatch(/^(readfile|fsdir|regexp) inside a name$/);
  });

  test.each([
    "SELECT regexp(replicate('(', 100000), 'a')",
    "SELECT regexpi('(' || replicate('(', 100000), 'a')",
    "SELECT 'a' REGEXP replicate('(', 100000)",
    "SELECT 'a' NOT REGEXP '(' || replicate('(', 100000)",
    "SELECT 'a' REGEXP ('(' || replicate('(', 100000))",
    "SELECT a REGEXP pattern FROM t",
    "SELECT a REGEXP ? FROM t",
    "SELECT ?1regexp ?2",
    'SELECT "regexp"(?, a) FROM t',
    `SELECT a REGEXP '${"(".repeat(1_001)}' FROM t`,
  ])("a pattern that calls itself as deep as its data goes: %.60s", (sql) => {
    expect(refusedIn(sql)).toContain("with a pattern that is not one short text");
  });

  test.each([
    "SELECT * FROM vector_top_k('i', vector32('[1,2]'), 1000000)",
    "SELECT * FROM Vector_Top_K/**/('i', vector32('[1,2]'), ?)",
    `SELECT * FROM "vector_top_k"('i', vector32('[1,2]'), 1 + 2147483646)`,
    "SELECT * FROM 'vector_top_k'('i', vector32(max(1, 2)), 0x7fffffff)",
    "SELECT * FROM [vector_top_k]('i', vector32('[1,2]'), 3e9)",
    "SELECT * FROM vector_top_k('i', vector32('[1,2]'))",
    "SELECT * FROM vector_top_k('i', (SELECT 1, 2, 3), -1)",
    "SELECT * FROM vector_top_k('i', (SELECT a, 3), k)",
    "SELECT * FROM vector_top_k WHERE idx = 'i' AND vector = ? AND k = 3",
    "SELECT * FROM t, main.vector_top_k WHERE k = 3",
    `SELECT * FROM vector_top_k('i', ${"(".repeat(2_000)}1${")".repeat(2_000)}, 3)`,
  ])("a search that makes room for as many rows as somebody says: %.80s", (sql) => {
    expect(refusedIn(sql)).toContain("vector_top_k without a count that is written out");
  });

  test.each([
    ["sums", "SELECT 1", "+1", ""],
    ["texts", "SELECT 'a'", "->'a'", ""],
    ["words after their operand", "SELECT 1", " ISNULL", ""],
    ["words before it", "SELECT ", "NOT ", "1"],
    ["an order that SQLite does not count", "SELECT 1", " COLLATE a", ""],
    ["comparisons with lists", "SELECT 1", " IN (1, 2)", ""],
    ["sums of calls", "SELECT 1", " + max(1, 2)", ""],
    ["quoted words", "SELECT 1", '+"a"', ""],
    ["words that touch a variable", "SELECT ?1", "or?1", ""],
    ["comments between", "SELECT 1", "+/* , */1", ""],
    ["lines that look like the end", "SELECT 1", "+1 -- ;\n", ""],
  ])("a chain of %s that is too long, wherever it stands", (_what, start, link, end) => {
    const expression = start.replace("SELECT ", "") + link.repeat(chainMax + 1) + end;
    for (const sql of [
      `SELECT ${expression}`,
      `SELECT 1, max(2, ${expression}, 3), 4`,
      `INSERT INTO t VALUES (1, 2), (3, ${expression})`,
      `SELECT 1; SELECT ${expression}; SELECT 2`,
      `SELECT [a, b], ${expression}`,
    ]) {
      expect(refusedIn(sql)).toBe(`more than ${chainMax} operators in one expression`);
    }
  });

  test("a chain that goes on around its parentheses", () => {
    const part = "+1".repeat(chainMax / 4);
    expect(refusedIn(`SELECT max(0, ((((1${part})${part})${part})${part}), 0)`)).toContain("operators");
    expect(refusedIn(`SELECT max(0, ((1${part})${part}), 0)`)).toBeUndefined();
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
  "CREATE VIRTUAL TABLE edit USING fts5(mode, edit UNINDEXED, tokenize = 'porter'); INSERT INTO edit (edit) VALUES ('fsdir')",
  "CREATE VIRTUAL TABLE docs USING fts5; SELECT 'readfile', my_readfile('x')",
  "CREATE TABLE t (a, b AS (a) VIRTUAL, my_readfile DEFAULT 'fsdir')",
  "CREATE TRIGGER g DELETE ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END; SELECT 1 'readfile()'",
  "DROP TRIGGER g; SELECT 1 'readfile()'",
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
  "SELECT t.* FROM vector_top_k('i', vector32('[1, 2]'), 10) AS n JOIN t ON t.rowid = n.id",
  "SELECT id FROM vector_top_k ( 'i', vector32((SELECT replace(?, ',', ';'))), 999999 /* k */ )",
  "SELECT 'vector_top_k', replicate, padl FROM t WHERE padr = 'replicate(1)'",
  "SELECT mode, median FROM t WHERE mode IN ('a') ORDER BY mode",
  'CREATE TABLE mode (mode TEXT, "median price (net)" REAL)',
  "SELECT a REGEXP '^[a-z]+$' AND b NOT REGEXP 'x' = 1 FROM t",
  "SELECT regexp('^(a|b)$', name), regexpi('c', name) FROM t",
  "CREATE TABLE t (a TEXT DEFAULT 'edit (x)', b TEXT DEFAULT 'readfile(x)')",
])("passes: %s", (sql) => {
  expect(refusedIn(sql)).toBeUndefined();
});

test.each([
  [
    "many rows",
    `INSERT INTO t VALUES (0)${", (-1.5e3, x'00', NULL, 'it''s', :name, CAST(? AS TEXT))".repeat(60_000)}`,
  ],
  ["large texts", `INSERT INTO t VALUES ('${"+".repeat(5_000_000)}', "${"(".repeat(50_000)}")`],
  ["a long list", `SELECT * FROM t WHERE a IN (1${", -1".repeat(100_000)})`],
  ["many cases", `UPDATE t SET a = CASE id${" WHEN 1 THEN 'x'".repeat(4_000)} END`],
  ["as many alternatives as SQLite takes", `SELECT * FROM t WHERE a = 1${" OR t.a = 1".repeat(999)}`],
  ["many statements", "UPDATE t SET a = a + 1 WHERE b = 2; ".repeat(20_000)],
  ["a long comment", `SELECT 1 /* ${"+1".repeat(100_000)} */`],
])("%s pass", (_what, sql) => {
  expect(refusedIn(sql)).toBeUndefined();
});

test.each([
  ["a + b, c", 3],
  ["f(a, b + c) + 1", 6],
  ["(1 + (2 - 3)) * 4", 5],
  ["(a + b) + (c + d) + (e + f)", 8],
  ["1, 'a', ?1, \"b\"", 0],
  ["a; b c d", 3],
])("in %j as many operators as %d lie in one another", (sql, depth) => {
  expect(longestChain(sql, 100)).toBe(depth);
});

test("a text of a megabyte is judged without running out of stack", () => {
  const filling = `'${"''".repeat(500_000)}'`;
  expect(refusedIn(`SELECT ${filling}, readfile('x')`)).toBe("readfile");
  expect(refusedIn(`SELECT 'readfile', ${filling}`)).toBeUndefined();
});

test.each([
  ['SELECT a."b""c"', ["SELECT", "a", ".", 'b"c']],
  ["[a]]b", ["a", "]", "b"]],
  ["'it''s' x'00'", ["it's", "x'00'"]],
  ["x'00''a'X'' 'x''b'xx'c'", ["x'00'", "a", "X''", "x'b", "xx", "c"]],
  ["?a ?1b ?12.5 $a::b #1c", ["?", "a", "?1", "b", "?12", ".", "5", "$a", ":", ":b", "#1c"]],
  ["0x1fa 1e5b 'a'b\"c\"d[e]f`g`h", ["0", "x1fa", "1", "e5b", "a", "b", "c", "d", "e", "f", "g", "h"]],
  ["a\vb \v\fc", ["a", "b", "c"]],
  ["a--b\nc/*d*/e", ["a", "c", "e"]],
  ["/*/ a */ b", ["b"]],
  ["a /* open", ["a"]],
  ["\ufeffa\ufeffb", ["a\ufeffb"]],
  ["$a ?1 :b_c @d", ["$a", "?1", ":b_c", "@d"]],
  ["1.5e3 >= ä$1", ["1", ".", "5", "e3", ">", "=", "ä$1"]],
])("%j is read as SQLite reads it", (sql, texts) => {
  expect(readSqlTokens(sql)?.map(({ text }) => text)).toEqual(texts);
});
