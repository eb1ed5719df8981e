import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile as writePlain } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { collect, inPieces, startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";
import { writeFile } from "./write-file.ts";

const run = promisify(execFile);
let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let directory: string;
let path: string;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases?.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keyloan-file-"));
  path = join(directory, "notes.db");
  return () => rm(directory, { recursive: true, force: true });
});

async function fileOf(...statements: string[]): Promise<TestDatabase> {
  const source = await databases.add();
  await source.run(...statements);
  await writeFile("libsql", inPieces(await collect(dump(source))), path);
  return source;
}

/** What SQLite's own command-line program says, where there is one; the library in Node otherwise. */
async function ask(sql: string): Promise<string> {
  const judge = (program: string, args: string[]) => run(program, args).then(({ stdout }) => stdout.trim());
  try {
    return await judge("sqlite3", ["-readonly", path, sql]);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare(sql).all();
  database.close();
  return rows.map((row) => Object.values(row).join("|")).join("\n");
}

describe("a file that SQLite's own tools open holds", () => {
  test.each([
    [
      "every kind of value",
      [
        "CREATE TABLE a(id INTEGER PRIMARY KEY, x)",
        "INSERT INTO a(x) VALUES(9223372036854775807),(0.1),(5e-324),(9e999),(-9e999),('a'||char(0)||'b'),(CAST(x'ff' AS TEXT)),(x'00ff'),(NULL),(''),(x'')",
      ],
      "SELECT group_concat(typeof(x)||coalesce(hex(CAST(x AS BLOB)),'-')) FROM a WHERE typeof(x)<>'real'",
      "SELECT group_concat(x=0.1 OR x=5e-324 OR x=9e999 OR x=-9e999) FROM a WHERE typeof(x)='real'",
    ],
    [
      "values in parts",
      [
        "CREATE TABLE a(x, y TEXT)",
        "INSERT INTO a VALUES(randomblob(900000), CAST(randomblob(400000) AS TEXT))",
      ],
      "SELECT typeof(x), length(x), typeof(y), length(CAST(y AS BLOB)) FROM a",
      "SELECT hex(substr(x,1,9)), hex(substr(x,-9)), hex(substr(CAST(y AS BLOB),-9)) FROM a",
    ],
    [
      "row ids, counts and generated columns",
      [
        "CREATE TABLE a(x, y AS (x||'!') STORED)",
        "INSERT INTO a(rowid,x) VALUES(-7,1),(99,2)",
        "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO b VALUES(500)",
        "DELETE FROM b",
      ],
      "SELECT group_concat(rowid||x||y) FROM a",
      "SELECT name, seq FROM sqlite_sequence",
    ],
    [
      "triggers, views and indexes, none of which acted meanwhile",
      [
        'CREATE TABLE "a b"(x UNIQUE)',
        "CREATE TABLE log(x)",
        'CREATE TRIGGER t AFTER INSERT ON "a b" BEGIN INSERT INTO log VALUES(new.x); END',
        'CREATE VIEW v AS SELECT x FROM "a b"',
        'CREATE INDEX i ON "a b"(x) WHERE x>1',
        'INSERT INTO "a b" VALUES(1),(2)',
        "DELETE FROM log",
      ],
      "SELECT count(*), (SELECT count(*) FROM v) FROM log",
      "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)",
    ],
    [
      "full-text indexes",
      [
        "CREATE TABLE n(id INTEGER PRIMARY KEY, body)",
        "CREATE VIRTUAL TABLE f USING fts5(body, content='n', content_rowid='id')",
        "CREATE VIRTUAL TABLE own USING fts5(body)",
        "INSERT INTO n VALUES(4,'green tea')",
        "INSERT INTO f(f) VALUES('rebuild')",
        "INSERT INTO own(rowid,body) VALUES(-2,'black tea')",
        "INSERT INTO own(own,rank) VALUES('rank','bm25(2.0)')",
      ],
      "SELECT rowid, (SELECT rowid FROM own WHERE own MATCH 'tea') FROM f WHERE f MATCH 'tea'",
      "SELECT k, v FROM own_config WHERE k='rank'",
    ],
    [
      "tables without row ids",
      [
        "CREATE TABLE a(k TEXT COLLATE NOCASE PRIMARY KEY, v ANY) WITHOUT ROWID, STRICT",
        "INSERT INTO a VALUES('B',1),('a',2.5)",
      ],
      "SELECT group_concat(k||v) FROM a",
      "SELECT count(*) FROM a",
    ],
    ["user_version", ["PRAGMA user_version=12"], "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema"],
  ])("%s", async (_what, statements, ...questions) => {
    const source = await fileOf(...statements);
    expect(await ask("PRAGMA integrity_check")).toBe("ok");
    for (const question of questions) {
      expect(await ask(question)).toBe((await source.values(question)).join("|"));
    }
  });
});

test("it is readable by its owner alone, and is one file", async () => {
  await fileOf("CREATE TABLE a(x)", "INSERT INTO a VALUES(1)");
  const { mode, size } = await stat(path);
  expect(mode & 0o777).toBe(0o600);
  expect(size).toBeGreaterThan(0);
  expect((await run("ls", ["-a", directory])).stdout.trim().split("\n").toSorted()).toEqual([
    ".",
    "..",
    "notes.db",
  ]);
});

test("vectors are there, and their index, which only libSQL knows, is left out", async () => {
  await fileOf(
    "CREATE TABLE a(id INTEGER PRIMARY KEY, e F32_BLOB(2))",
    "INSERT INTO a VALUES(1,vector32('[1,2]'))",
    "CREATE INDEX a_e ON a(libsql_vector_idx(e))",
  );
  expect(await ask("PRAGMA integrity_check")).toBe("ok");
  expect(await ask("SELECT hex(e) FROM a")).toBe("0000803F00000040");
  expect(await ask("SELECT group_concat(name) FROM sqlite_schema")).toBe("a");
});

test("what a SQLite file cannot hold is refused by name, and no file is left", async () => {
  await expect(
    fileOf("CREATE TABLE strewn(x) RANDOM ROWID", "INSERT INTO strewn VALUES(1)"),
  ).rejects.toMatchObject({
    name: "ProviderError",
    code: "rejected",
    message: expect.stringMatching(/the definition of the table "strewn"/),
  });
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a file that exists is neither overwritten nor removed", async () => {
  await writePlain(path, "mine");
  await expect(fileOf("CREATE TABLE a(x)")).rejects.toMatchObject({ code: "EEXIST" });
  expect((await stat(path)).size).toBe(4);
});

test("no file is left where the dump ends in an error", async () => {
  const failing = async function* () {
    yield Buffer.from("keyloan-libsql-dump 1\n");
    throw new Error("the store is gone");
  };
  await expect(writeFile("libsql", failing(), path)).rejects.toThrow("the store is gone");
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});
