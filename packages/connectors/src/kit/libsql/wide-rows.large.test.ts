import { afterAll, beforeAll, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { load } from "./load.ts";
import { summarize } from "./summarize.ts";
import { collect, inPieces, startTestDatabases } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases?.close());

test("values of megabytes go in parts, whatever is in them, and beside each other", async () => {
  const [source, target] = [await databases.add(), await databases.add()];
  await source.run(
    "CREATE TABLE a(id INTEGER PRIMARY KEY, x, y)",
    "INSERT INTO a VALUES(1, randomblob(1500000), 'small')",
    "INSERT INTO a VALUES(2, CAST(randomblob(700000) AS TEXT), zeroblob(600000))",
    "INSERT INTO a VALUES(3, replace(hex(zeroblob(400000)),'00','é'||char(0)), x'')",
    "INSERT INTO a VALUES(4, NULL, randomblob(262144))",
    "INSERT INTO a VALUES(5, randomblob(262145), NULL)",
    "CREATE TABLE k(k TEXT PRIMARY KEY, x) WITHOUT ROWID",
    "INSERT INTO k VALUES('one', randomblob(900000)),('two', randomblob(300000))",
  );
  const before = await summarize(source);
  await load(target, inPieces(await collect(dump(source)), 99_991));
  expect(await summarize(target)).toEqual(before);
  const question =
    "SELECT group_concat(typeof(x)||octet_length(x)||hex(substr(CAST(x AS BLOB),1,20))||hex(substr(CAST(x AS BLOB),-20))) FROM a";
  expect(await target.values(question)).toEqual(await source.values(question));
  expect(await target.values("SELECT count(*) FROM sqlite_schema WHERE name GLOB '_keyloan*'")).toEqual([
    "0",
  ]);
});

test("rows of many wide values are read in pages that one answer can hold", async () => {
  const [source, target] = [await databases.add(), await databases.add()];
  const columns = Array.from({ length: 120 }, (_, index) => `c${index}`);
  const row = columns.map(() => "randomblob(12000)").join(",");
  await source.run(`CREATE TABLE a(${columns.join(",")})`, `INSERT INTO a VALUES(${row}),(${row}),(${row})`);
  const before = await summarize(source);
  await load(target, inPieces(await collect(dump(source))));
  expect(await summarize(target)).toEqual(before);
});

test("a table of nearly two thousand columns is moved", async () => {
  const [source, target] = [await databases.add(), await databases.add()];
  const columns = Array.from({ length: 1990 }, (_, index) => `c${index}`);
  await source.run(
    `CREATE TABLE a(${columns.join(",")})`,
    `INSERT INTO a VALUES(${columns.map((_, index) => (index % 3 === 0 ? `${index}.5` : `'v${index}'`)).join(",")})`,
  );
  const before = await summarize(source);
  await load(target, inPieces(await collect(dump(source))));
  expect(await summarize(target)).toEqual(before);
});
