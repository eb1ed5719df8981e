import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testContext } from "../testing/harness.ts";
import { probeTableName, probeTime } from "./names.ts";
import { probeDurability } from "./probe-durability.ts";
import { startTestDatabases, type TestDatabase } from "./testing/test-databases.ts";

let databases: Awaited<ReturnType<typeof startTestDatabases>>;
let database: TestDatabase;
beforeAll(async () => {
  databases = await startTestDatabases();
  database = await databases.add();
  await database.run("CREATE TABLE migrations(id INTEGER)", "CREATE VIEW a_view AS SELECT 1");
});
afterAll(() => databases?.close());

const left = () => database.values("SELECT count(*) FROM sqlite_schema WHERE name GLOB '_keyloan*'");
const context = testContext();

/** The database behind something that answers requests of which a text is part in another way. */
function answering(part: string, answer: (ask: () => Promise<Response>) => Promise<Response>): TestDatabase {
  const fetch: typeof globalThis.fetch = (input, init) => {
    const ask = () => globalThis.fetch(input, init);
    return String(init?.body).includes(part) ? answer(ask) : ask();
  };
  return { ...database, context: { ...database.context, fetch } };
}

const results = (...each: unknown[]) =>
  Response.json({ results: [...each, { type: "ok", response: { type: "close" } }] });
const rows = (...cells: unknown[]) => ({
  type: "ok",
  response: { type: "execute", result: { rows: [cells] } },
});

test("a database that keeps what it is told passes every step, and nothing is left in it", async () => {
  const { steps } = await probeDurability(database, context, { migrationsTable: "Migrations" });
  expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
    ["write", true],
    ["read_back", true],
    ["delete", true],
    ["on_disk", true],
    ["migrations_table", true],
  ]);
  expect(await left()).toEqual(["0"]);
});

test("the migrations table is looked for only when one is asked for, and a view is none", async () => {
  const { steps } = await probeDurability(database, context, {});
  expect(steps).toHaveLength(4);
  for (const migrationsTable of ["missing", "a_view", "x'; DROP TABLE migrations; --"]) {
    const answer = await probeDurability(database, context, { migrationsTable });
    expect(answer.steps.at(-1)).toMatchObject({ name: "migrations_table", ok: false });
  }
  expect(await database.values("SELECT count(*) FROM migrations")).toEqual(["0"]);
});

describe("a database does not pass that", () => {
  test("takes no writes", async () => {
    const blocked = await databases.add();
    await blocked.configure({ blockWrites: true });
    const { steps } = await probeDurability(blocked, context, {});
    expect(steps[0]).toMatchObject({
      name: "write",
      ok: false,
      message: expect.stringContaining("(BLOCKED)"),
    });
    expect(steps.map(({ name }) => name)).toEqual(["write", "on_disk"]);
  });

  test("forgets", async () => {
    const forgetful = answering("SELECT value FROM", async () => results(rows()));
    const { steps } = await probeDurability(forgetful, context, {});
    expect(steps.find(({ name }) => name === "read_back")).toMatchObject({ ok: false });
    expect(await left()).toEqual(["0"]);
  });

  test("gives back something else", async () => {
    const wrong = answering("SELECT value FROM", async () => results(rows({ type: "integer", value: "1" })));
    expect((await probeDurability(wrong, context, {})).steps[1]).toMatchObject({
      name: "read_back",
      ok: false,
    });
  });

  test("is in memory", async () => {
    const inMemory = answering("pragma_database_list", async () =>
      results(rows({ type: "text", value: "" })),
    );
    const { steps } = await probeDurability(inMemory, context, {});
    expect(steps.find(({ name }) => name === "on_disk")).toMatchObject({ ok: false });
  });

  test("does not let go, and a later probe removes what it kept", async () => {
    const keeping = answering("DROP TABLE", async () =>
      results(
        { type: "error", error: { code: "SQLITE_LOCKED" } },
        { type: "error", error: { code: "SQLITE_LOCKED" } },
      ),
    );
    const { steps } = await probeDurability(keeping, context, {});
    expect(steps.find(({ name }) => name === "delete")).toMatchObject({ ok: false });
    expect(await left()).toEqual(["1"]);
    await probeDurability(database, { ...context, now: () => Date.now() + 59 * 60_000 }, {});
    expect(await left()).toEqual(["1"]);
    await probeDurability(database, { ...context, now: () => Date.now() + 61 * 60_000 }, {});
    expect(await left()).toEqual(["0"]);
  });
});

describe("what could not be asked is an error and no answer:", () => {
  test.each(["CREATE TABLE", "SELECT value FROM", "DELETE FROM", "pragma_database_list"])(
    "the database is down at %j, and nothing is left",
    async (part) => {
      const down = answering(part, async () => new Response("", { status: 503 }));
      const probing = probeDurability(down, context, {});
      await expect(probing).rejects.toMatchObject({ name: "ProviderError", retryable: true });
      expect(await left()).toEqual(["0"]);
    },
  );

  test.each([401, 403, 404])("the token is refused with %i", async (status) => {
    const refusing = answering("SELECT", async () => new Response("", { status }));
    await expect(probeDurability(refusing, context, {})).rejects.toMatchObject({
      name: "ProviderError",
      status,
    });
  });

  test("another write holds it", async () => {
    const busy = answering("CREATE TABLE", async () =>
      results(
        { type: "error", error: { code: "SQLITE_BUSY" } },
        { type: "error", error: { code: "SQLITE_BUSY" } },
      ),
    );
    await expect(probeDurability(busy, context, {})).rejects.toMatchObject({ code: "unavailable" });
  });

  test("the caller gives up while something is written, and nothing is left", async () => {
    const given = new AbortController();
    const slow = answering("SELECT value FROM", async () => {
      given.abort(new DOMException("time is up", "TimeoutError"));
      throw given.signal.reason;
    });
    const probed = { ...slow, context: { ...slow.context, signal: given.signal } };
    await expect(probeDurability(probed, context, {})).rejects.toMatchObject({ code: "timeout" });
    expect(await left()).toEqual(["0"]);
  });
});

test("the name of a probe's table tells when it was made, and no other name does", () => {
  const name = probeTableName(1_763_700_000_123, context.randomBytes);
  expect(name).toMatch(/^_keyloan_probe_[0-9a-f]{28}$/);
  expect(probeTime(name)).toBe(1_763_700_000_123);
  expect(probeTime(`${name}x`)).toBeUndefined();
  expect(probeTime("_keyloan_probe_mine")).toBeUndefined();
});
