import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { empty } from "./empty.ts";
import { load } from "./load.ts";
import { summarize } from "./summarize.ts";
import { collect, inPieces, startTestDatabases } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases?.close());

type Corner = {
  readonly what: string;
  readonly statements: readonly string[];
  readonly questions: readonly string[];
};

const corner = (what: string, statements: readonly string[], ...questions: string[]): Corner => ({
  what,
  statements,
  questions,
});

const schemaQuestion =
  "SELECT group_concat(type||name||tbl_name||sql) FROM (SELECT * FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '*_shadow*' ORDER BY type, name)";

const ordinary: readonly Corner[] = [
  corner(
    "row ids that an app can see",
    [
      "CREATE TABLE a(x)",
      "INSERT INTO a(rowid,x) VALUES(-9223372036854775808,1),(-5,2),(7,3),(9223372036854775807,4)",
    ],
    "SELECT group_concat(rowid||':'||x) FROM a",
  ),
  corner(
    "row ids beside a primary key that is none",
    ["CREATE TABLE a(id INT PRIMARY KEY, x)", "INSERT INTO a(rowid,id) VALUES(50,1),(20,2)"],
    "SELECT group_concat(rowid||':'||id) FROM (SELECT rowid, id FROM a ORDER BY id)",
  ),
  corner(
    "row ids of a descending key and of a table whose columns are called like them",
    [
      "CREATE TABLE a(id INTEGER PRIMARY KEY DESC)",
      "INSERT INTO a(rowid,id) VALUES(9,1)",
      "CREATE TABLE b(rowid TEXT, _rowid_ TEXT)",
      "INSERT INTO b(oid,rowid,_rowid_) VALUES(77,'x','y')",
    ],
    "SELECT rowid, id, (SELECT oid||rowid||_rowid_ FROM b) FROM a",
  ),
  corner(
    "what AUTOINCREMENT counts on from",
    [
      "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, x)",
      "INSERT INTO a VALUES(1,1),(900,2)",
      "DELETE FROM a WHERE id=900",
      "CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT)",
    ],
    "SELECT group_concat(name||seq), (SELECT group_concat(id) FROM a) FROM sqlite_sequence",
  ),
  corner(
    "a count whose table is gone",
    [
      "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT)",
      "DROP TABLE a",
      "INSERT INTO sqlite_sequence VALUES('elsewhere',5)",
    ],
    "SELECT name, seq FROM sqlite_sequence",
  ),
  corner(
    "generated columns, stored and virtual",
    [
      "CREATE TABLE a(x INTEGER, twice AS (x*2), y TEXT, kept TEXT GENERATED ALWAYS AS (y||'!') STORED)",
      "INSERT INTO a(x,y) VALUES(4,'four')",
      "CREATE INDEX a_kept ON a(kept)",
    ],
    "SELECT x, twice, y, kept FROM a",
    schemaQuestion,
  ),
  corner(
    "strict tables, defaults and checks",
    [
      "CREATE TABLE a(i INTEGER NOT NULL DEFAULT (1+1), r REAL, t TEXT COLLATE NOCASE, b BLOB, x ANY, CHECK(i>0)) STRICT",
      "INSERT INTO a VALUES(1, 1, 'One', x'01', '1'),(2, 2.5, NULL, NULL, 1)",
    ],
    "SELECT group_concat(i||typeof(r)||r||ifnull(t,'')||quote(b)||typeof(x)||x) FROM a",
  ),
  corner(
    "tables without row ids, with keys of every kind of value, in mixed orders and collations",
    [
      "CREATE TABLE a(k ANY, l TEXT COLLATE NOCASE, v, PRIMARY KEY(k DESC, l COLLATE BINARY)) WITHOUT ROWID",
      "INSERT INTO a VALUES(1,'a',1),(1,'A',2),(9e999,'b',3),(-9e999,'b',4),(0.1,'b',5),(x'00','b',6),('x','b',7),('','b',8),('a'||char(0),'b',9),(CAST(x'ff' AS TEXT),'b',10),(9223372036854775807,'b',11)",
      "CREATE TABLE b(t TEXT PRIMARY KEY COLLATE NOCASE, u) WITHOUT ROWID",
      "INSERT INTO b VALUES('B',1),('a',2)",
    ],
    "SELECT group_concat(hex(k)||typeof(k)||l||v) FROM a",
    "SELECT group_concat(t||u) FROM b",
  ),
  corner(
    "foreign keys in a circle, and rows that point nowhere",
    [
      "PRAGMA foreign_keys=OFF",
      "CREATE TABLE a(id INTEGER PRIMARY KEY, b INTEGER REFERENCES b(id))",
      "CREATE TABLE b(id INTEGER PRIMARY KEY, a INTEGER REFERENCES a(id))",
      "INSERT INTO a VALUES(1,1),(2,99)",
      "INSERT INTO b VALUES(1,2)",
    ],
    "SELECT group_concat(id||':'||b) FROM a",
  ),
  corner(
    "names with quotes, line ends, other scripts and reserved words",
    [
      'CREATE TABLE "se""lect\nfrom ’\'`[x]" ("group" INTEGER, "a\nb" TEXT, "ключ ""k""" TEXT, `where` DEFAULT 5)',
      "INSERT INTO \"se\"\"lect\nfrom ’'`[x]\" VALUES(1,'x','y',NULL)",
      'CREATE UNIQUE INDEX "in""dex" ON "se""lect\nfrom ’\'`[x]"("ключ ""k""")',
      'CREATE TABLE "Table" ("" TEXT)',
      "INSERT INTO \"Table\" VALUES('empty name')",
    ],
    'SELECT * FROM "se""lect\nfrom ’\'`[x]"',
    'SELECT "" FROM "Table"',
    schemaQuestion,
  ),
  corner(
    "indexes over expressions and parts, and a key that bars doubles",
    [
      "CREATE TABLE a(x, y)",
      "CREATE INDEX a_lower ON a(lower(x), y DESC) WHERE y IS NOT NULL",
      "CREATE UNIQUE INDEX a_one ON a(x) WHERE y=1",
      "INSERT INTO a VALUES('A',1),('A',2),('B',NULL)",
    ],
    "SELECT group_concat(x||ifnull(y,'')) FROM a",
    schemaQuestion,
  ),
  corner(
    "triggers, which do not fire while rows come, and views over views made out of order",
    [
      "CREATE TABLE a(x)",
      "CREATE TABLE log(x)",
      "CREATE VIEW outer_view AS SELECT x FROM inner_view",
      "CREATE VIEW inner_view AS SELECT x FROM a WHERE x > 1",
      "CREATE TRIGGER a_log AFTER INSERT ON a BEGIN INSERT INTO log VALUES(new.x); END",
      "CREATE TRIGGER on_view INSTEAD OF INSERT ON inner_view BEGIN INSERT INTO a VALUES(new.x); END",
      "INSERT INTO a VALUES(1),(2)",
      "INSERT INTO inner_view VALUES(3)",
      "DELETE FROM log WHERE x=1",
    ],
    "SELECT group_concat(x), (SELECT group_concat(x) FROM a), (SELECT group_concat(x) FROM outer_view) FROM log",
    schemaQuestion,
  ),
  corner(
    "user_version, where it can be written",
    ["CREATE TABLE a(x)", "PRAGMA user_version=-42"],
    "PRAGMA user_version",
  ),
];

const searching: readonly Corner[] = [
  corner(
    "a full-text index with its own text and settings",
    [
      "CREATE VIRTUAL TABLE notes USING fts5(title, body, tag UNINDEXED, tokenize = 'porter unicode61')",
      "INSERT INTO notes(rowid,title,body,tag) VALUES(-3,'one','running far',7),(9,'two',NULL,'x'),(12,'a'||char(0)||'b','',x'01')",
      "INSERT INTO notes(notes,rank) VALUES('rank','bm25(10.0, 5.0)')",
      "INSERT INTO notes(notes,rank) VALUES('automerge',8)",
    ],
    "SELECT rowid, title FROM notes WHERE notes MATCH 'run'",
    "SELECT group_concat(rowid||hex(title)||quote(body)||typeof(tag)) FROM notes",
    "SELECT group_concat(k||v) FROM notes_config",
  ),
  corner(
    "full-text indexes over a table and over a view",
    [
      "CREATE VIRTUAL TABLE found USING fts5(body, content='notes', content_rowid='id')",
      "CREATE VIRTUAL TABLE seen USING fts5(body, c=seen_view)",
      "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)",
      "CREATE VIEW seen_view AS SELECT id AS rowid, body FROM notes",
      "INSERT INTO notes VALUES(3,'green tea'),(8,'black tea')",
      "INSERT INTO found(found) VALUES('rebuild')",
      "INSERT INTO seen(seen) VALUES('rebuild')",
      "CREATE TRIGGER notes_added AFTER INSERT ON notes BEGIN INSERT INTO found(rowid,body) VALUES(new.id,new.body); END",
    ],
    "SELECT group_concat(rowid) FROM found WHERE found MATCH 'tea'",
    "SELECT group_concat(rowid) FROM seen WHERE seen MATCH 'black'",
  ),
  corner(
    "an app's own table whose name is that of a part of an index",
    [
      "CREATE TABLE found_content(id INTEGER PRIMARY KEY, body TEXT)",
      "CREATE VIRTUAL TABLE found USING fts5(body, content='found_content', content_rowid='id')",
      "INSERT INTO found_content VALUES(1,'kept')",
      "INSERT INTO found(found) VALUES('rebuild')",
      "CREATE TABLE plain_shadow(x)",
      "CREATE TABLE libsql_vector_idx(x)",
      "CREATE INDEX plain ON libsql_vector_idx(x)",
      "INSERT INTO plain_shadow VALUES('kept too')",
    ],
    "SELECT id, body, (SELECT x FROM plain_shadow) FROM found_content",
    "SELECT count(*) FROM found WHERE found MATCH 'kept'",
  ),
  corner(
    "vectors and indexes over them",
    [
      "CREATE TABLE a(id INTEGER PRIMARY KEY, e F32_BLOB(3))",
      "INSERT INTO a VALUES(1,vector32('[1,2,3]')),(2,vector32('[4,5,6]')),(3,NULL)",
      "CREATE INDEX a_e ON a(libsql_vector_idx(e, 'metric=cosine'))",
      "CREATE INDEX gone ON a(libsql_vector_idx(e))",
      "DROP INDEX gone",
    ],
    "SELECT id FROM vector_top_k('a_e', vector32('[4,5,6]'), 1)",
    "SELECT vector_extract(e) FROM a WHERE id=2",
    schemaQuestion,
  ),
  corner(
    "a table with random row ids",
    ["CREATE TABLE a(x) RANDOM ROWID", "INSERT INTO a VALUES('x'),('y')"],
    "SELECT group_concat(rowid||x) FROM a",
  ),
];

describe("what is moved is the same afterwards, and the database it went to can be emptied:", () => {
  test.each([...ordinary, ...searching])("$what", async ({ statements, questions }) => {
    const [source, target] = [await databases.add(), await databases.add()];
    await source.run(...statements);
    const before = await summarize(source);
    await load(target, inPieces(await collect(dump(source))));
    const after = await Promise.all(questions.map((question) => target.values(question)));
    expect(after).toEqual(await Promise.all(questions.map((question) => source.values(question))));
    expect(after.flat().filter((value) => value !== null)).not.toEqual([]);
    expect(await summarize(target)).toEqual(before);

    await empty(target);
    const nothing = await summarize(target);
    expect(nothing.tables).toEqual([]);
    expect(nothing).toEqual(await summarize(await databases.add()));
    await load(target, inPieces(await collect(dump(source)), 777));
    expect(await summarize(target)).toEqual(before);
  });
});

describe("what cannot be moved whole is refused by its name:", () => {
  test.each([
    [
      "an R*Tree",
      ["CREATE VIRTUAL TABLE places USING rtree(id, x0, x1)"],
      /"places" uses the module "rtree"/,
    ],
    ["FTS4", ["CREATE VIRTUAL TABLE old USING fts4(body)"], /"old" uses the module "fts4"/],
    [
      "an index without text",
      ["CREATE VIRTUAL TABLE blind USING fts5(body, content='')"],
      /"blind" does not keep/,
    ],
    [
      "the same, in FTS5's shorthand",
      ['CREATE VIRTUAL TABLE blind USING "FTS5"(body, cont = "" , contentless_delete=1)'],
      /"blind" does not keep/,
    ],
    [
      "an index over some rows only",
      [
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, body)",
        "CREATE VIRTUAL TABLE found USING fts5(body, content='notes', content_rowid='id')",
        "INSERT INTO notes VALUES(1,'x'),(2,'y')",
        "INSERT INTO found(rowid,body) VALUES(1,'x')",
      ],
      /"found" does not cover the same rows/,
    ],
    [
      "an index that tells no sizes",
      [
        "CREATE TABLE notes(id INTEGER PRIMARY KEY, body)",
        "CREATE VIRTUAL TABLE found USING fts5(body, content='notes', columnsize=0)",
      ],
      /"found" does not show what it covers/,
    ],
    ["hidden row ids", ["CREATE TABLE a(rowid, _RowId_, oid)"], /"a" hide its row ids/],
    [
      "a trigger on an internal table",
      [
        "CREATE TABLE a(e F32_BLOB(2))",
        "CREATE INDEX a_e ON a(libsql_vector_idx(e))",
        "CREATE TRIGGER sly AFTER INSERT ON a_e_shadow BEGIN SELECT 1; END",
      ],
      /"sly" is on the internal table "a_e_shadow"/,
    ],
    [
      "the same, spelled in another case",
      [
        "CREATE TABLE a(e F32_BLOB(2))",
        "CREATE INDEX a_e ON a(libsql_vector_idx(e))",
        "CREATE TRIGGER sly AFTER INSERT ON A_E_Shadow BEGIN SELECT 1; END",
      ],
      /"sly" is on the internal table "A_E_Shadow"/,
    ],
  ] as const)("%s", async (_what, statements, message) => {
    const source = await databases.add();
    await source.run(...statements);
    const refused = { name: "ProviderError", code: "rejected", message: expect.stringMatching(message) };
    await expect(collect(dump(source))).rejects.toMatchObject(refused);
    await expect(summarize(source)).rejects.toMatchObject(refused);
  });
});

describe("a summary tells databases apart that differ in", () => {
  const base = ["CREATE TABLE a(id INTEGER PRIMARY KEY, x)", "INSERT INTO a VALUES(1,1.5),(2,'x')"];
  test.each([
    ["a type", ["UPDATE a SET x='1.5' WHERE id=1"]],
    ["the last bit of a real", ["UPDATE a SET x=1.5000000000000002 WHERE id=1"]],
    ["a kind of bytes", ["UPDATE a SET x=x'78' WHERE id=2"]],
    ["what follows a NUL", ["UPDATE a SET x='x'||char(0)||'y' WHERE id=2"]],
    ["a missing row", ["DELETE FROM a WHERE id=2"]],
    ["a key", ["UPDATE a SET id=3 WHERE id=2"]],
    ["an index", ["CREATE INDEX a_x ON a(x)"]],
    ["a view", ["CREATE VIEW v AS SELECT 1"]],
    ["an empty table", ["CREATE TABLE b(x)"]],
    ["user_version", ["PRAGMA user_version=3"]],
  ])("%s", async (_what, changes) => {
    const [one, other, same] = [await databases.add(), await databases.add(), await databases.add()];
    await one.run(...base);
    await same.run(...base);
    await other.run(...base, ...changes);
    const summary = await summarize(one);
    expect(await summarize(same)).toEqual(summary);
    expect(await summarize(other)).not.toEqual(summary);
  });
});
