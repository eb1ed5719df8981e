import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { load } from "./load.ts";
import { summarize } from "./summarize.ts";
import { collect, inPieces, startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases?.close());

/** What comes of moving a database: the new one, after its summary was found to be the same. */
async function move(source: TestDatabase): Promise<TestDatabase> {
  const target = await databases.add();
  const before = await summarize(source);
  await load(target, inPieces(await collect(dump(source))));
  expect(await summarize(target)).toEqual(before);
  return target;
}

const corners: readonly (readonly [string, readonly string[], string])[] = [
  ["no table at all", [], "SELECT count(*) FROM sqlite_schema"],
  ["an empty table", ["CREATE TABLE a(x)"], "SELECT count(*) FROM a"],
  [
    "integers beyond what a number of JavaScript holds",
    [
      "CREATE TABLE a(x)",
      "INSERT INTO a VALUES(9007199254740993),(9223372036854775807),(-9223372036854775808)",
    ],
    "SELECT group_concat(x) FROM a",
  ],
  [
    "reals to the last bit, both infinities and the sign of zero",
    [
      "CREATE TABLE a(id INTEGER PRIMARY KEY, x)",
      "INSERT INTO a(x) VALUES(0.1),(1e300),(5e-324),(1.0),(9e999),(-9e999),(-0.0),(1.7976931348623157e308),(0.30000000000000004)",
    ],
    "SELECT group_concat(typeof(x)||quote(x)), min(x)=-9e999, max(x)=9e999 FROM a",
  ],
  [
    "text with a NUL, text that is not UTF-8, and text that is no text",
    [
      "CREATE TABLE a(x, y TEXT)",
      "INSERT INTO a VALUES('a'||char(0)||'b', CAST(x'ff00fe' AS TEXT)),('', '😀\u2028'),(CAST(x'c3' AS TEXT), 'it''s \\ \"')",
    ],
    "SELECT group_concat(typeof(x)||hex(x)||typeof(y)||hex(y)) FROM a",
  ],
  [
    "blobs, the empty one too, and NULL",
    ["CREATE TABLE a(x, y BLOB)", "INSERT INTO a VALUES(x'', x'00ff'),(NULL, zeroblob(300)),('', NULL)"],
    "SELECT group_concat(typeof(x)||quote(x)||quote(y)) FROM a",
  ],
];

describe("what is moved is the same afterwards:", () => {
  test.each(corners)("%s", async (_what, statements, question) => {
    const source = await databases.add();
    if (statements.length > 0) await source.run(...statements);
    const target = await move(source);
    expect(await target.values(question)).toEqual(await source.values(question));
  });
});

test("a database whose writes are blocked is read all the same", async () => {
  const source = await databases.add();
  await source.run("CREATE TABLE a(x)", "INSERT INTO a VALUES(1)", "PRAGMA user_version=7");
  const before = await summarize(source);
  await source.configure({ blockWrites: true });
  await expect(source.run("INSERT INTO a VALUES(2)")).rejects.toThrow("BLOCKED");
  const target = await move(source);
  expect(await summarize(target)).toEqual(before);
});

test("the sign of zero, which a summary does not show, is carried too", async () => {
  const source = await databases.add();
  await source.run("CREATE TABLE a(x)", "INSERT INTO a VALUES(-0.0)");
  const [value] = await (await move(source)).values("SELECT x FROM a");
  expect(Object.is(value, -0)).toBe(true);
});
