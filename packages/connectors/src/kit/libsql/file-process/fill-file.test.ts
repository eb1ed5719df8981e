import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DumpParts, dumpOf, other, searchOver, table } from "../testing/dump-of.ts";
import { inPieces } from "../testing/test-databases.ts";
import { fillFile } from "./fill-file.ts";
import type { Step } from "./guard.ts";

let folder: string;
let store: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyloan-fill-"));
  // What the file's schema text would like to reach.
  store = join(folder, "keyloan.db");
  const database = new DatabaseSync(store);
  database.exec("CREATE TABLE tokens(hash); INSERT INTO tokens VALUES('ours')");
  database.close();
  writeFileSync(join(folder, "database"), "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What came of it: nothing, or why and at what it was. */
async function fill(parts: DumpParts) {
  const before = readFileSync(store);
  let at: Step | undefined;
  const outcome = await fillFile(join(folder, "database"), inPieces(dumpOf(parts)), (step) => {
    at = step;
  }).then(
    () => ({ made: true }),
    (error: { refusal: object }) => ({ ...error.refusal, at: at?.name }),
  );
  expect(readFileSync(store).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => !/^database(?:-journal)?$/.test(name))).toEqual(["keyloan.db"]);
  return outcome;
}

const refused = (reason: string, at: string) => ({ reason, at });

describe("text that the database lists, and that is refused where it stands:", () => {
  const attach = (path: string) =>
    `CREATE TABLE t(a);COMMIT;ATTACH DATABASE ('${path}') AS k;INSERT INTO k.tokens VALUES('forged');DETACH k;BEGIN;--xxx`;

  test("a table with statements after it that forge a token in the store", async () => {
    expect(await fill({ definitions: [table("t", attach(store))] })).toEqual(refused("several", "t"));
  });

  test.each([
    ["ATTACH alone", "ATTACH DATABASE 'keyloan.db' AS k"],
    ["DETACH", "DETACH DATABASE main"],
    ["VACUUM INTO", "VACUUM INTO 'copy.db'"],
    ["VACUUM", "VACUUM"],
    ["a pragma", "PRAGMA writable_schema=ON"],
    ["a pragma that reads", "PRAGMA database_list"],
    ["COMMIT", "COMMIT"],
    ["BEGIN", "BEGIN"],
    ["a savepoint", "SAVEPOINT s"],
    ["DROP", "DROP TABLE first"],
    ["ALTER", "ALTER TABLE first RENAME TO t"],
    ["DELETE", "DELETE FROM first"],
    ["an insert", "INSERT INTO first VALUES(1)"],
    ["an update of the schema", "UPDATE sqlite_schema SET sql='CREATE TABLE t(x)'"],
    ["REINDEX", "REINDEX"],
    ["ANALYZE", "ANALYZE"],
    ["SELECT", "SELECT 1"],
    ["a temporary table", "CREATE TEMP TABLE t(x)"],
    ["a temporary table by its schema", "CREATE TABLE temp.t(x)"],
    ["a table of a query", "CREATE TABLE t AS SELECT 1 AS x"],
    [
      "a table of a query that never ends",
      "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n",
    ],
    ["another table", "CREATE TABLE u(x)"],
    ["a table of the store's name", "CREATE TABLE tokens(x)"],
  ])("%s instead of a table", async (_what, sql) => {
    expect(await fill({ definitions: [table("first"), table("t", sql)] })).toMatchObject({
      reason: expect.stringMatching(/^(?:action|not_as_listed|unfit)$/),
      at: "t",
    });
  });

  test.each([
    ["an explained one", "EXPLAIN CREATE TABLE t(x)"],
    ["a comment that never ends", "CREATE TABLE t(x)/* "],
    ["a comment after it", "CREATE TABLE t(x)-- x"],
    ["a comment before it", "/**/CREATE TABLE t(x)"],
    ["a semicolon before it", ";CREATE TABLE t(x)"],
    ["IF NOT EXISTS", "CREATE TABLE IF NOT EXISTS t(x)"],
    ["its schema", "CREATE TABLE main.t(x)"],
    ["small letters that SQLite does not store", "create table t(x)"],
    ["another letter case of the name", "CREATE TABLE T(x)"],
  ])("a table in words that no database lists it in: %s", async (_what, sql) => {
    expect(await fill({ definitions: [table("t", sql)] })).toMatchObject({
      reason: expect.stringMatching(/^(?:action|not_as_listed)$/),
      at: "t",
    });
  });

  test.each([
    ["a statement after a semicolon", "CREATE TABLE t(x);DROP TABLE t"],
    ["a NUL and something after it", "CREATE TABLE t(x)\0; DROP TABLE t"],
    ["half of a character", "CREATE TABLE t(\ud800)"],
    ["a semicolon and a comment", "CREATE TABLE t(x);--"],
  ])("more than one statement: %s", async (_what, sql) => {
    expect(await fill({ definitions: [table("t", sql)] })).toEqual(refused("several", "t"));
  });

  test.each([
    ["an empty text", ""],
    ["a text of ten megabytes", `CREATE TABLE t(x CHECK(x<>'${"y".repeat(7_000_000)}'))`],
    ["a quote that never ends", 'CREATE TABLE "t(x)'],
    ["an own table's name", "CREATE TABLE sqlite_t(x)"],
    ["words of another database", "GRANT ALL ON t TO public"],
    ["an expression too deep", `CREATE TABLE t(x CHECK(1${"+1".repeat(2000)}))`],
  ])("what SQLite does not take: %s", async (_what, sql) => {
    expect(await fill({ definitions: [table("t", sql)] })).toMatchObject({ at: "t" });
  });

  test("a line that is longer than any", async () => {
    const definitions = [table("t", `CREATE TABLE t(x CHECK(x<>'${"y".repeat(10_000_000)}'))`)];
    expect(await fill({ definitions })).toMatchObject({ dump: "long_line" });
  });

  test.each([
    ["an index that is a view", other("index", "i", "first", "CREATE VIEW i AS SELECT 1")],
    ["a view that is a table", other("view", "i", "i", "CREATE TABLE i(x)")],
    ["a trigger that is an index", other("trigger", "i", "first", "CREATE INDEX i ON first(x)")],
    ["an index on another table", other("index", "i", "first", "CREATE INDEX i ON second(x)")],
    [
      "a trigger on another table",
      other("trigger", "i", "first", "CREATE TRIGGER i AFTER INSERT ON second BEGIN SELECT 1; END"),
    ],
    ["an index of another name", other("index", "i", "first", "CREATE INDEX j ON first(x)")],
    ["a temporary view", other("view", "i", "i", "CREATE TEMP VIEW i AS SELECT 1")],
    [
      "a temporary trigger",
      other("trigger", "i", "first", "CREATE TEMP TRIGGER i AFTER INSERT ON first BEGIN SELECT 1; END"),
    ],
    ["an index on the schema", other("index", "i", "sqlite_schema", "CREATE INDEX i ON sqlite_schema(name)")],
    [
      "a view with a statement after it",
      other("view", "i", "i", "CREATE VIEW i AS SELECT 1; PRAGMA user_version=9"),
    ],
    [
      "a trigger with a statement after it",
      other(
        "trigger",
        "i",
        "first",
        "CREATE TRIGGER i AFTER INSERT ON first BEGIN SELECT 1; END; DROP TABLE first",
      ),
    ],
  ])("%s", async (_what, definition) => {
    const definitions = [table("first"), table("second"), definition];
    expect(await fill({ definitions })).toMatchObject({ reason: expect.any(String), at: "i" });
  });

  test.each([
    "dbstat",
    "rtree",
    "rtree_i32",
    "geopoly",
    "fts3",
    "fts4",
    "fts3tokenize",
    "fts5vocab",
    "fts4aux",
    "csv",
    "zipfile",
    "fsdir",
    "sqlite_dbpage",
  ])("a virtual table of the module %s, listed as a table or as a full-text index", async (module) => {
    const sql = `CREATE VIRTUAL TABLE v USING ${module}(a, b, c)`;
    expect(await fill({ definitions: [table("v", sql)] })).toEqual({
      reason: "module",
      uses: module,
      at: "v",
    });
    const search = { kind: "own", settings: [] } as const;
    writeFileSync(join(folder, "database"), "");
    rmSync(join(folder, "database-journal"), { force: true });
    expect(await fill({ definitions: [{ ...table("v", sql), search }] })).toMatchObject({ uses: module });
  });

  test("a full-text index that is listed as a table", async () => {
    const sql = "CREATE VIRTUAL TABLE v USING fts5(x)";
    expect(await fill({ definitions: [table("v", sql)] })).toEqual({
      reason: "module",
      uses: "fts5",
      at: "v",
    });
  });

  test("a table in the way of those behind a full-text index, before and after it", async () => {
    const found = { ...searchOver("found", "first"), sql: "CREATE VIRTUAL TABLE found USING fts5(x)" };
    const own = { ...found, search: { kind: "own", settings: [] } as const };
    expect(await fill({ definitions: [table("found_data"), own] })).toMatchObject({ at: "found" });
  });
});

describe("functions that compute with nothing but values are the only ones", () => {
  const places = (call: string) => [
    [table("t", `CREATE TABLE t(x, CHECK(${call} IS NULL))`)],
    [table("t", `CREATE TABLE t(x, y AS (${call}) STORED)`)],
    [table("t", `CREATE TABLE t(x, y AS (${call}) VIRTUAL)`)],
    [table("t"), other("index", "i", "t", `CREATE INDEX i ON t(${call})`)],
    [table("t"), other("index", "i", "t", `CREATE INDEX i ON t(x) WHERE ${call} IS NULL`)],
    [
      table("t"),
      other("view", "v", "v", `CREATE VIEW v AS SELECT rowid, ${call} AS x FROM t`),
      searchOver("f", "v"),
    ],
  ];
  const rows = [{ name: "t", columns: ["x"], values: [["some"]] }];

  test.each([
    "load_extension(x)",
    "readfile(x)",
    "writefile('keyloan.db', x)",
    "edit(x)",
    "fts3_tokenizer(x)",
    "sqlite_log(1, x)",
    "sqlite_compileoption_get(1)",
    "sqlite_source_id()",
    "total_changes()",
    "last_insert_rowid()",
  ])("%s is refused in a check, a generated column, an index and a view that is read", async (call) => {
    for (const definitions of places(call)) {
      writeFileSync(join(folder, "database"), "");
      rmSync(join(folder, "database-journal"), { force: true });
      expect(await fill({ definitions, rows })).toMatchObject({
        reason: expect.stringMatching(/^(?:function|unfit)$/),
        at: definitions.at(-1)?.name,
      });
    }
  });

  test("a view that is read reads no schema, no page and no pragma", async () => {
    for (const from of ["dbstat", "sqlite_dbpage", "pragma_database_list", "pragma_module_list"]) {
      writeFileSync(join(folder, "database"), "");
      rmSync(join(folder, "database-journal"), { force: true });
      const view = other("view", "v", "v", `CREATE VIEW v AS SELECT 1 AS rowid, * FROM ${from}`);
      expect(await fill({ definitions: [view, searchOver("f", "v")] })).toMatchObject({ at: "f" });
    }
  });

  test("a default takes no part, because every column is given its value", async () => {
    const definitions = [table("t", "CREATE TABLE t(x, y DEFAULT (load_extension('x')))")];
    const all = [{ name: "t", columns: ["x", "y"], values: [[1, 2]] }];
    expect(await fill({ definitions, rows })).toMatchObject({ dump: "altered" });
    writeFileSync(join(folder, "database"), "");
    rmSync(join(folder, "database-journal"), { force: true });
    expect(await fill({ definitions, rows: all })).toEqual({ made: true });
  });
});

describe("values and files stay in bounds:", () => {
  const one = (columns: readonly string[], values: readonly string[]) => [
    { name: "t", columns, values: [values] },
  ];

  test.each([
    ["a generated column", "CREATE TABLE t(x, y AS (zeroblob(900000000)) STORED)"],
    ["random bytes", "CREATE TABLE t(x, CHECK(length(randomblob(1000000000))>0))"],
    ["a width", "CREATE TABLE t(x, CHECK(length(printf('%999999999d',1))>0))"],
    [
      "text put together",
      "CREATE TABLE t(x, CHECK(length(replace(hex(zeroblob(2000000)),'0','0123456789'))>0))",
    ],
  ])("%s of a gigabyte", async (_what, sql) => {
    expect(await fill({ definitions: [table("t", sql)], rows: one(["x"], ["some"]) })).toEqual(
      refused("large_value", "t"),
    );
  });

  test("an index that makes much of little", async () => {
    const values = Array.from({ length: 40 }, (_, index) => [String(index)]);
    const definitions = [
      table("t"),
      other("index", "i", "t", "CREATE INDEX i ON t(x||hex(zeroblob(500000)))"),
    ];
    expect(await fill({ definitions, rows: [{ name: "t", columns: ["x"], values }] })).toEqual(
      refused("large_file", "i"),
    );
  });

  test("a view without an end that fills a full-text index", async () => {
    const sql = `CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS rowid, hex(zeroblob(9999))||i AS x FROM n`;
    const definitions = [other("view", "v", "v", sql), searchOver("f", "v")];
    expect(await fill({ definitions })).toEqual(refused("large_file", "f"));
  });
});

describe("rows go into tables that were defined, and nowhere else", () => {
  test.each(["sqlite_schema", "sqlite_master", "sqlite_temp_schema", "nowhere", "T", "v", "f_data"])(
    "%s",
    async (name) => {
      const definitions = [
        table("t"),
        other("view", "v", "v", "CREATE VIEW v AS SELECT x FROM t"),
        { ...searchOver("f", "t"), search: { kind: "own", settings: [] } as const },
      ];
      const rows = [{ name, columns: ["x"], values: [["x"]] }];
      expect(await fill({ definitions, rows })).toMatchObject({ dump: "altered" });
    },
  );

  test("a trigger sees none come, whatever it would do", async () => {
    const loop =
      "CREATE TRIGGER loop AFTER INSERT ON t BEGIN INSERT INTO t VALUES(load_extension(new.x)); END";
    const definitions = [table("t"), other("trigger", "loop", "t", loop)];
    const rows = [{ name: "t", columns: ["x"], values: [["x"]] }];
    expect(await fill({ definitions, rows })).toEqual({ made: true });
  });
});

describe("what apps use is made as it stands", () => {
  test.each([
    [
      "a trigger that spells its table in another case",
      [
        table("Users", "CREATE TABLE Users(x)"),
        other("trigger", "r", "uSERS", "CREATE TRIGGER r AFTER INSERT ON uSERS BEGIN SELECT 1; END"),
      ],
    ],
    [
      "a full-text index over a view that reads no column of what WITH gives",
      [
        table("t"),
        other(
          "view",
          "v",
          "v",
          "CREATE VIEW v AS WITH one AS (SELECT 1 AS z) SELECT t.rowid AS rowid, x FROM t, one",
        ),
        searchOver("f", "v"),
      ],
    ],
    ["a check of the version", [table("t", "CREATE TABLE t(x CHECK(x<>sqlite_version()))")]],
  ])("%s", async (_what, definitions) => {
    expect(await fill({ definitions })).toEqual({ made: true });
  });

  test.each([
    "x TEXT DEFAULT (datetime('now')), y DEFAULT (lower(hex(randomblob(16))))",
    "x INTEGER DEFAULT (unixepoch()), y DEFAULT CURRENT_TIMESTAMP",
    "x TEXT CHECK(json_valid(x)), y AS (json_extract(x, '$.a')) STORED",
    "x TEXT CHECK(x->>'$.a' IS NOT 3), y AS (x->'$.b')",
    "x TEXT CHECK(length(trim(x))>0 AND x LIKE '%a%' AND x GLOB '*'), y AS (upper(substr(x,1,3)))",
    "x REAL CHECK(abs(x)>=0), y AS (round(x,2)), z AS (coalesce(x, ifnull(x, 0)))",
    "x TEXT CHECK(strftime('%Y',x) IS NOT 3), y AS (printf('%05d',length(x))), z AS (instr(x,'a'))",
    "x TEXT CHECK(iif(x IS NULL, 1, 1)), y AS (replace(x,'a','b')), z AS (date(x))",
    "x TEXT COLLATE NOCASE UNIQUE NOT NULL ON CONFLICT REPLACE, y AS (typeof(x)), z AS (unicode(x))",
  ])("(%s)", async (columns) => {
    const definitions = [table("t", `CREATE TABLE t(${columns})`)];
    const path = join(folder, "database");
    const names = /\by (?:AS|GENERATED)/.test(columns) ? ["x"] : ["x", "y"];
    const value = columns.startsWith("x REAL") ? 5 : '{"a":"a"}';
    const rows = [{ name: "t", columns: names, values: [names.map(() => value)] }];
    expect(await fill({ definitions, rows })).toEqual({ made: true });
    const database = new DatabaseSync(path, { readOnly: true });
    expect(database.prepare("SELECT sql FROM sqlite_schema WHERE name='t'").get()).toEqual({
      sql: `CREATE TABLE t(${columns})`,
    });
    expect(database.prepare("SELECT count(*) AS rows FROM t").get()).toEqual({ rows: 1 });
    database.close();
  });
});
