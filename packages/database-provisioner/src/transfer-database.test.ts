import { BrokerError, ProviderError, type TransferProgress } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeDatabases } from "./testing/fake-databases.ts";
import { isEmptyDatabase, transferDatabase } from "./transfer-database.ts";

let fake: ReturnType<typeof fakeDatabases>;
let progress: TransferProgress[];

beforeEach(() => {
  fake = fakeDatabases(["lent", "own"]);
  progress = [];
  const lent = fake.database("lent");
  lent.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
  lent.exec("CREATE TABLE users (name TEXT)");
  const insert = lent.prepare("INSERT INTO notes VALUES (?, ?)");
  for (let id = 1; id <= 50; id++) insert.run(id, `note ${id}`);
  lent.prepare("INSERT INTO users VALUES (?)").run("Ada");
});
afterEach(() => fake.close());

const run = (changes: Partial<Parameters<typeof transferDatabase>[0]> = {}) =>
  transferDatabase({
    content: fake.content,
    from: fake.end("lent"),
    to: fake.end("own"),
    owner: "trf_1",
    mayEmpty: false,
    beforeWriting: async () => void fake.steps.push("kept"),
    afterProof: async () => void fake.steps.push("proven"),
    onProgress: (step) => progress.push(step),
    ...changes,
  });
const rowsOf = (name: string, table = "notes") =>
  fake.database(name).prepare(`SELECT count(*) AS rows FROM "${table}"`).get()?.rows;

describe("moving a database", () => {
  test("copies every row and proves by reading both ends again", async () => {
    const summary = await run();
    expect(summary.tables.map(({ name, rows }) => [name, rows])).toEqual([
      ["notes", 50],
      ["users", 1],
    ]);
    expect(rowsOf("own")).toBe(rowsOf("lent"));
    expect(fake.steps).toEqual([
      "finishWrites lent",
      "summarize lent",
      "isEmpty own",
      "kept",
      "load own",
      "dump lent",
      "summarize own",
      "proven",
    ]);
  });

  test("tells how far it is, with the total", async () => {
    await run();
    expect(progress.at(0)).toEqual({ phase: "counting" });
    expect(progress.filter(({ phase }) => phase === "copying").at(-1)).toMatchObject({
      rows: 51,
      rowsTotal: 51,
      bytes: expect.any(Number),
      item: "users",
    });
    expect(progress.at(-1)).toMatchObject({ phase: "proving", rows: 51, rowsTotal: 51 });
  });

  test.each(["CREATE TABLE mine (id)", "CREATE VIEW mine AS SELECT 1 AS x"])(
    "writes nothing into a target that holds something: %s",
    async (sql) => {
      fake.database("own").exec(sql);
      await expect(run()).rejects.toMatchObject({ code: "target_not_empty" });
      expect(fake.steps).toEqual(["finishWrites lent", "summarize lent", "isEmpty own"]);
    },
  );

  test("nor into one that holds something since it was looked at", async () => {
    const beforeWriting = async () => fake.database("own").exec("CREATE TABLE mine (id)");
    await expect(run({ beforeWriting })).rejects.toMatchObject({ code: "target_not_empty" });
    expect(fake.steps).not.toContain("dump lent");
  });

  test("empties such a target when it may", async () => {
    fake.database("own").exec("CREATE TABLE notes (other); INSERT INTO notes VALUES (1)");
    await run({ mayEmpty: true });
    expect(rowsOf("own")).toBe(50);
    // What is kept is that something of ours is there: only when nothing else is.
    expect(fake.steps.indexOf("empty own")).toBeLessThan(fake.steps.indexOf("kept"));
  });

  test.each([
    ["a row that changed", "UPDATE notes SET text = 'other' WHERE id = 7", ["notes"]],
    ["a row that is missing", "DELETE FROM notes WHERE id = 7", ["notes"]],
    ["a table too many", "CREATE TABLE more (id)", ["the schema", "more"]],
  ])("does not call %s the same", async (_what, change, differing) => {
    let asked = 0;
    fake.trouble.own = { summarize: () => ++asked === 1 && fake.database("own").exec(change) };
    const error = await run().catch((thrown: BrokerError) => thrown);
    expect(error).toBeInstanceOf(BrokerError);
    expect(error).toMatchObject({ code: "not_faithful", details: { differing } });
  });

  test.each([
    ["lent", "source", "row"],
    ["lent", "source", "summarize"],
    ["own", "target", "write"],
    ["own", "target", "load"],
  ])("tells that it was %s that failed, the %s, at %s", async (name, side, step) => {
    fake.trouble[name] = {
      [step]: () => {
        throw new ProviderError("fake", "quota_exceeded", "is full");
      },
    };
    await expect(run()).rejects.toMatchObject({ name: "TransferFailure", side });
  });

  test("ends with the signal", async () => {
    const ending = new AbortController();
    let rows = 0;
    fake.trouble.lent = { row: () => ++rows === 10 && ending.abort() };
    await expect(run({ to: fake.end("own", ending.signal) })).rejects.toThrow();
    expect(rows).toBeLessThan(15);
  });
});

describe("looking whether a database is empty", () => {
  test.each([
    ["nothing", "SELECT 1", true],
    ["a table without rows", "CREATE TABLE t (id)", false],
    ["rows", "CREATE TABLE t (id); INSERT INTO t VALUES (1)", false],
    ["a view alone", "CREATE VIEW v AS SELECT 1 AS x", false],
  ])("with %s", async (_what, sql, empty) => {
    fake.database("own").exec(sql);
    expect(await isEmptyDatabase(fake.content, fake.end("own"))).toBe(empty);
  });

  test("passes a failure on", async () => {
    fake.trouble.own = {
      isEmpty: () => {
        throw new ProviderError("fake", "unauthorized", "refuses");
      },
    };
    await expect(isEmptyDatabase(fake.content, fake.end("own"))).rejects.toMatchObject({ side: "target" });
  });
});
