import { afterAll, beforeAll, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { load } from "./load.ts";
import { dumpOf, other, table } from "./testing/dump-of.ts";
import { collect, inPieces, startTestDatabases } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases?.close());

const noted =
  "(owner,type,name,sql) SELECT (SELECT owner FROM _keyloan_load_journal LIMIT 1),type,name,sql FROM sqlite_schema";
const refused = {
  code: "rejected",
  message: expect.stringMatching(/"(?:tr|v)" names a table that Keyloan makes/),
};

// What a load has made is written down in the user's database, and what stands there is taken back.
test.each([
  [
    "a trigger that writes there",
    `CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO _keyloan_load_journal${noted}; END`,
  ],
  [
    "one that spells it in capitals",
    `CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM [_KEYLOAN_LOAD_JOURNAL]; END`,
  ],
  ["a view of it", 'CREATE VIEW v AS SELECT * FROM "_keyloan_load_journal"'],
])("%s is refused where it is read", async (_what, definition) => {
  const source = await databases.add();
  await source.run("CREATE TABLE t(a)", definition);
  await expect(collect(dump(source))).rejects.toMatchObject(refused);
});

test("and where a dump says it, whatever table it is listed on", async () => {
  const own = await databases.add();
  const text = `CREATE TRIGGER tr AFTER INSERT ON _keyloan_load_journal BEGIN INSERT INTO _keyloan_load_journal${noted}; END`;
  const hostile = dumpOf({
    definitions: [table("t", "CREATE TABLE t(a)"), other("trigger", "tr", "t", text)],
  });
  await expect(load(own, inPieces(hostile), undefined, "trf_1")).rejects.toMatchObject(refused);
});
