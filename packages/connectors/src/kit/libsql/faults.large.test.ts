import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dump } from "./dump.ts";
import { empty } from "./empty.ts";
import { load } from "./load.ts";
import type { LibsqlDatabase } from "./pipeline.ts";
import { summarize } from "./summarize.ts";
import { collect, inPieces, startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let source: TestDatabase;
let whole: Buffer;
beforeAll(async () => {
  databases = await startTestDatabases();
  source = await databases.add();
  await source.run(
    "CREATE TABLE a(id INTEGER PRIMARY KEY, x)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9000) INSERT INTO a SELECT i, 'row '||i||hex(randomblob(50)) FROM n",
    "CREATE INDEX a_x ON a(x)",
  );
  whole = await collect(dump(source));
});
afterAll(() => databases?.close());

type Fetch = typeof globalThis.fetch;

/** The database behind a network that does something to its requests, counted from 0. */
function behind(
  database: LibsqlDatabase,
  act: (call: number, ask: () => Promise<Response>) => Promise<Response>,
) {
  let calls = 0;
  const fetch: Fetch = (input, init) => act(calls++, () => globalThis.fetch(input, init));
  return { ...database, context: { ...database.context, fetch }, calls: () => calls };
}

const doings = [
  ["dump", (database: LibsqlDatabase) => collect(dump(database))],
  ["summarize", (database: LibsqlDatabase) => summarize(database)],
] as const;

describe.each(doings)("%s", (_name, act) => {
  test("goes on after failures that pass", async () => {
    const expected = await act(source);
    const flaky = behind(source, async (call, ask) => {
      if (call % 3 === 1) return new Response("busy", { status: 503 });
      if (call % 5 === 2) throw new TypeError("fetch failed");
      return ask();
    });
    expect(await act(flaky)).toEqual(expected);
  });

  test("ends with an error while the database stays down, whenever that begins", async () => {
    const quiet = behind(source, (_call, ask) => ask());
    await act(quiet);
    for (let first = 0; first < quiet.calls(); first++) {
      const down = behind(source, async (call, ask) =>
        call < first ? ask() : new Response("", { status: 500 }),
      );
      await expect(act(down)).rejects.toMatchObject({
        name: "ProviderError",
        code: "unavailable",
        retryable: true,
      });
    }
  });

  test.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "not_found"],
    [400, "rejected"],
    [302, "invalid_response"],
  ])("tells what %i means for the values", async (status, code) => {
    const refusing = behind(source, async (call, ask) => (call < 2 ? ask() : new Response("", { status })));
    await expect(act(refusing)).rejects.toMatchObject({ code, status, retryable: false });
  });

  test("ends when the caller gives up, also while it waits", async () => {
    const given = new AbortController();
    const slow = behind(source, async (call, ask) => {
      if (call < 3) return ask();
      given.abort(new DOMException("time is up", "TimeoutError"));
      return new Promise<Response>((_resolve, reject) => reject(given.signal.reason));
    });
    const context = { ...slow.context, signal: given.signal };
    await expect(act({ ...slow, context })).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("an answer that lies is not believed:", () => {
  const whenPaging = (change: (text: string) => string) =>
    behind(source, async (_call, ask) => {
      const answer = await ask();
      const text = await answer.text();
      return new Response(text.length > 50_000 ? change(text) : text, { status: answer.status });
    });
  test.each([
    ["half an answer", (text: string) => text.slice(0, text.length / 2)],
    [
      "a page, but not the rows",
      (text: string) => text.replace(/"rows":\[.*\],"affected/, '"rows":[],"affected'),
    ],
    ["HTML", () => "<html></html>"],
    ["text in place of bytes", (text: string) => text.replaceAll('"blob","base64"', '"text","value"')],
    ["another row id", (text: string) => text.replaceAll('"integer","value":"7"', '"integer","value":"x"')],
    ["an empty object", () => "{}"],
    ["no results", () => '{"results":[]}'],
  ])("%s", async (_what, change) => {
    await expect(collect(dump(whenPaging(change))).then(({ length }) => length)).rejects.toMatchObject({
      code: "invalid_response",
    });
  });

  test("the same page for ever", async () => {
    let first: string | undefined;
    const looping = behind(source, async (_call, ask) => {
      const text = await (await ask()).text();
      if (text.length > 50_000) first ??= text;
      return new Response(text.length > 50_000 ? first : text, { status: 200 });
    });
    await expect(collect(dump(looping))).rejects.toMatchObject({ code: "invalid_response" });
  });

  test("more rows than are counted, because someone writes", async () => {
    const busy = await databases.add();
    await busy.run(
      "CREATE TABLE a(x)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9000) INSERT INTO a SELECT hex(randomblob(100)) FROM n",
    );
    const written = behind(busy, async (call, ask) => {
      if (call === 8) await busy.run("INSERT INTO a VALUES('new')");
      return ask();
    });
    await expect(collect(dump(written))).rejects.toMatchObject({ code: "invalid_response" });
  });
});

describe("loading", () => {
  test("fails at whatever request is refused, leaves what it did, and succeeds after emptying", async () => {
    const target = await databases.add();
    const quiet = behind(target, (_call, ask) => ask());
    await load(quiet, inPieces(whole));
    await empty(target);
    for (let first = 0; first < quiet.calls(); first++) {
      const failing = behind(target, async (call, ask) =>
        call < first ? ask() : new Response("", { status: 503 }),
      );
      await expect(load(failing, inPieces(whole))).rejects.toMatchObject({ retryable: true });
      await empty(target);
    }
    await load(target, inPieces(whole));
    expect(await summarize(target)).toEqual(await summarize(source));
  });

  test("that failed has nothing on its way any more", async () => {
    const target = await databases.add();
    let underWay = 0;
    const slow = behind(target, async (_call, ask) => {
      underWay++;
      const answer = await ask();
      return answer
        .text()
        .finally(() => underWay--)
        .then((text) => new Response(text, { status: answer.status }));
    });
    for (const part of [0.3, 0.6, 0.9]) {
      const cut = whole.subarray(0, Math.floor(whole.length * part));
      await expect(load(slow, inPieces(cut, whole.length))).rejects.toMatchObject({ code: "rejected" });
      expect(underWay).toBe(0);
      await empty(target);
    }
  });

  test("is not reported when the last answer is lost", async () => {
    const target = await databases.add();
    const lost = behind(target, async (_call, ask) => {
      const answer = await ask();
      // The index is what is made last.
      if ((await target.values("SELECT count(*) FROM sqlite_schema WHERE name='a_x'"))[0] === "0")
        return answer;
      throw new TypeError("fetch failed");
    });
    await expect(load(lost, inPieces(whole))).rejects.toMatchObject({ code: "network" });
  });

  test("a transaction that is said to be done, without its commit, is not believed", async () => {
    const target = await databases.add();
    const lying = behind(target, async (_call, ask) => {
      const text = await (await ask()).text();
      return new Response(
        text.replaceAll(/"step_results":\[[^\]]*\].*"step_errors"/g, '"step_results":[],"step_errors"'),
      );
    });
    await expect(load(lying, inPieces(whole))).rejects.toMatchObject({ code: "invalid_response" });
  });

  test("into a database that holds something already is a conflict, and what it holds stays", async () => {
    const target = await databases.add();
    await target.run("CREATE TABLE mine(x)", "INSERT INTO mine VALUES('kept')");
    await expect(load(target, inPieces(whole))).rejects.toMatchObject({ code: "conflict" });
    expect(await target.values("SELECT x, (SELECT count(*) FROM sqlite_schema) FROM mine")).toEqual([
      "kept",
      "1",
    ]);
  });

  test("into a database that fills up tells so, and emptying makes room", async () => {
    const target = await databases.add({ maxDatabaseSize: "300KB" });
    await expect(load(target, inPieces(whole))).rejects.toMatchObject({
      code: "quota_exceeded",
      retryable: false,
      message: expect.stringMatching(/is full: it does not accept a row of the table "a"/),
    });
    await empty(target);
    expect(await target.values("SELECT count(*) FROM sqlite_schema")).toEqual(["0"]);
  });

  test("into a blocked database tells so", async () => {
    const target = await databases.add();
    await target.configure({ blockWrites: true });
    await expect(load(target, inPieces(whole))).rejects.toMatchObject({
      code: "quota_exceeded",
      message: expect.stringMatching(/is blocked/),
    });
  });

  test("a row that breaks a rule of the target names its table, and nothing of its values", async () => {
    const target = await databases.add();
    const broken = await databases.add();
    await broken.run("CREATE TABLE a(x CHECK(x <> 'secret value'))", "INSERT INTO a VALUES('other value!')");
    const dumped = (await collect(dump(broken))).toString().replace("other value!", "secret value");
    const error = await load(target, inPieces(Buffer.from(dumped))).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "rejected", message: expect.stringMatching(/"a"|altered/) });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("secret value");
  });

  test("a user_version that the target does not keep is refused before anything is written", async () => {
    const numbered = await databases.add();
    await numbered.run("PRAGMA user_version=9", "CREATE TABLE a(x)");
    const target = await databases.add();
    const strict = behind(target, async (_call, ask) => ask());
    const fetch: Fetch = (input, init) =>
      String(init?.body).includes("PRAGMA user_version=")
        ? Promise.resolve(
            Response.json({
              results: [
                { type: "error", error: { code: "SQL_PARSE_ERROR" } },
                { type: "ok", response: { type: "close" } },
              ],
            }),
          )
        : globalThis.fetch(input, init);
    const turso = { ...strict, context: { ...strict.context, fetch } };
    await expect(load(turso, inPieces(await collect(dump(numbered))))).rejects.toMatchObject({
      code: "rejected",
      message: expect.stringMatching(/cannot keep user_version, which is 9/),
    });
    expect(await target.values("SELECT count(*) FROM sqlite_schema")).toEqual(["0"]);
  });
});

test("progress tells rows and bytes that only grow, and the table at hand", async () => {
  const seen: { rows: number; bytes: number; item?: string }[] = [];
  const note = (progress: { rows: number; bytes: number; item?: string }) => void seen.push({ ...progress });
  const target = await databases.add();
  await collect(dump(source, note));
  expect(seen.at(-1)).toMatchObject({ rows: 9000, bytes: whole.length });
  expect(seen.some(({ item }) => item === "a")).toBe(true);
  expect(seen.map(({ rows }) => rows)).toEqual(seen.map(({ rows }) => rows).toSorted((a, b) => a - b));
  await load(target, inPieces(whole), note);
  expect(seen.at(-1)).toMatchObject({ rows: 9000, bytes: whole.length });
  await summarize(target, note);
  expect(seen.at(-1)).toMatchObject({ rows: 9000, item: "a" });
});
