import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { empty } from "./empty.ts";
import { load } from "./load.ts";
import { summarize } from "./summarize.ts";
import { dumpOf, other, table } from "./testing/dump-of.ts";
import { collect, inPieces, startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let target: TestDatabase;
let neighbour: TestDatabase;
beforeAll(async () => {
  databases = await startTestDatabases();
  [target, neighbour] = [await databases.add(), await databases.add()];
  await neighbour.run("CREATE TABLE tokens(x)", "INSERT INTO tokens VALUES('theirs')");
});
afterAll(() => databases?.close());

const name = () => new URL(neighbour.address).host;

describe("text from another database is run by the server it is moved to, with that database's token alone:", () => {
  test.each([
    ["statements after a table", () => [table("t", "CREATE TABLE t(a);INSERT INTO t VALUES(1)")]],
    ["a commit after a table", () => [table("t", "CREATE TABLE t(a);COMMIT;CREATE TABLE u(a);BEGIN;--xxx")]],
    ["statements after a view", () => [other("view", "v", "v", "CREATE VIEW v AS SELECT 1; DROP TABLE t")]],
    ["a commit", () => [table("t", "COMMIT")]],
    ["a file attached", () => [table("t", "ATTACH DATABASE 'file.db' AS k")]],
    ["a neighbour attached", () => [table("t", `ATTACH DATABASE '${name()}' AS k`)]],
    ["a file written", () => [table("t", "VACUUM INTO 'file.db'")]],
  ])("%s is refused, and the neighbour is as it was", async (_what, definitions) => {
    const before = await summarize(neighbour);
    const loading = load(target, inPieces(dumpOf({ definitions: definitions() })));
    await expect(loading).rejects.toMatchObject({ name: "ProviderError", code: "rejected" });
    expect(await summarize(neighbour)).toEqual(before);
    await empty(target);
  });

  test("what stands in a schema is not run when it is read", async () => {
    const source = await databases.add();
    await source.run(
      "CREATE TABLE t(x)",
      "INSERT INTO t VALUES(1)",
      "CREATE VIEW v AS SELECT x FROM t WHERE x IN (SELECT no_such_function(x) FROM t)",
    );
    const whole = String(await collect(dump(source)));
    expect(whole).toContain("no_such_function");
    await load(target, inPieces(Buffer.from(whole)));
    expect(await summarize(target)).toEqual(await summarize(source));
    await empty(target);
  });
});
