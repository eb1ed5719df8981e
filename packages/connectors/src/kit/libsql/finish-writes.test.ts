import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { finishWrites } from "./finish-writes.ts";
import { summarize } from "./summarize.ts";
import { startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let source: TestDatabase;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases?.close());
beforeEach(async () => {
  source = await databases.add();
  await source.run("CREATE TABLE t(a)");
});

const send = async (requests: readonly unknown[], baton?: string) => {
  const answer = await fetch(`${source.address}/v2/pipeline`, {
    method: "POST",
    headers: { authorization: `Bearer ${source.token}` },
    body: JSON.stringify({ ...(baton === undefined ? {} : { baton }), requests }),
  });
  return (await answer.json()) as { readonly baton: string; readonly results: readonly { type: string }[] };
};
const execute = (sql: string) => ({ type: "execute", stmt: { sql } });
const rows = async () => (await summarize(source)).tables[0]?.rows;

test("a transaction that is open when writes are stopped is waited for", async () => {
  const { baton } = await send([execute("BEGIN IMMEDIATE"), execute("INSERT INTO t VALUES(1)")]);
  await source.configure({ blockWrites: true });
  const finished = finishWrites(source).then(rows);
  const { results } = await send([execute("COMMIT")], baton);
  expect([results[0]?.type, await finished, await rows()]).toEqual(["ok", 1, 1]);
});

test("a statement that is running when writes are stopped is waited for", async () => {
  const slow =
    "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c LIMIT 3000000) SELECT count(*) FROM c";
  const running = send([execute(slow)]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await source.configure({ blockWrites: true });
  const finished = finishWrites(source).then(rows);
  await running;
  expect([await finished, await rows()]).toEqual([1, 1]);
});

const answering = (code: string) => ({
  ...source,
  context: {
    signal: new AbortController().signal,
    fetch: async () => {
      const results = [code, "SQLITE_ERROR"].map((each) => ({ type: "error", error: { code: each } }));
      return Response.json({ results: [...results, { type: "ok", response: { type: "close" } }] });
    },
  },
});

test("a server that lets nobody take the lock is given the time that a transaction may last", async () => {
  const began = performance.now();
  await finishWrites(answering("BLOCKED"), 50);
  expect(performance.now() - began).toBeGreaterThan(45);
});

test("who goes on writing is not waited for for ever", async () => {
  await expect(finishWrites(answering("SQLITE_BUSY"))).rejects.toMatchObject({ code: "unavailable" });
});
