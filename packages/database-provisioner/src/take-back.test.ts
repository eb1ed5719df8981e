import { ProviderError } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { takeBackCopy } from "./take-back.ts";
import { fakeDatabases } from "./testing/fake-databases.ts";
import { differences, transferDatabase } from "./transfer-database.ts";

let fake: ReturnType<typeof fakeDatabases>;
const owner = "trf_1";

beforeEach(() => {
  fake = fakeDatabases(["lent", "own"]);
  fake.database("lent").exec("CREATE TABLE notes (text); INSERT INTO notes VALUES ('a')");
});
afterEach(() => fake.close());

const move = () =>
  transferDatabase({
    content: fake.content,
    from: fake.end("lent"),
    to: fake.end("own"),
    owner,
    mayEmpty: false,
    beforeWriting: async () => undefined,
    afterProof: async () => undefined,
    onProgress: () => undefined,
  });
const run = (sql: string) => fake.database("own").exec(sql);
const names = () => fake.database("own").prepare("SELECT name FROM sqlite_schema").all();
const takePart = (whose = owner) =>
  takeBackCopy({ content: fake.content, to: fake.end("own"), owner: whose });
const takeWhole = async (proven: Awaited<ReturnType<typeof move>>) =>
  takeBackCopy({
    content: fake.content,
    to: fake.end("own"),
    owner,
    whole: {
      isAsProven: (summary) => differences(summary, proven).length === 0,
      beforeTaking: async () => void fake.steps.push("kept"),
    },
  });
const refuse = () => {
  throw new ProviderError("fake", "rejected", "refuses");
};

describe("a part of a copy", () => {
  beforeEach(async () => {
    fake.trouble.own = { summarize: refuse };
    await expect(move()).rejects.toThrow();
    fake.trouble.own = {};
  });

  test("is taken back, and what somebody else made stays", async () => {
    run("CREATE TABLE mine (id); CREATE VIEW seen AS SELECT 1 AS x");
    expect([await takePart(), await takePart()]).toEqual([{ kept: 2 }, { kept: 2 }]);
    expect(names()).toEqual([{ name: "mine" }, { name: "seen" }]);
  });

  test("stays when it is another's", async () => {
    expect(await takePart("trf_2")).toEqual({ kept: 1 });
    expect(names()).toEqual([{ name: "notes" }]);
  });
});

describe("a whole copy", () => {
  test("is taken back as it was proven, which is kept before", async () => {
    const proven = await move();
    expect(await takeWhole(proven)).toEqual({ kept: 0 });
    expect(names()).toEqual([]);
    expect(fake.steps.indexOf("kept")).toBeLessThan(fake.steps.indexOf("takeBack own"));
  });

  test.each(["INSERT INTO notes VALUES ('b')", "CREATE TABLE mine (id)"])(
    "stays whole after %s",
    async (sql) => {
      const proven = await move();
      run(sql);
      const before = names();
      expect((await takeWhole(proven)).kept).toBe(before.length);
      expect(names()).toEqual(before);
      expect(await takePart()).toEqual({ kept: before.length });
    },
  );

  test.each(["claim", "takeBack"])(
    "is not all that goes when something was made right at the %s",
    async (step) => {
      const proven = await move();
      const look = fake.content.summarize;
      if (step === "takeBack") fake.trouble.own = { takeBack: () => run("CREATE TABLE mine (id)") };
      else {
        // After the list was made, before the proof.
        const summarize: typeof look = async (...given) => {
          run("CREATE TABLE mine (id)");
          return look(...given);
        };
        Object.assign(fake.content, { summarize });
      }
      await takeWhole(proven);
      expect(names()).toContainEqual({ name: "mine" });
    },
  );

  test("leaves no note behind in a database that cannot be summed up any more", async () => {
    const proven = await move();
    fake.trouble.own = { summarize: refuse };
    await expect(takeWhole(proven)).rejects.toMatchObject({ code: "rejected" });
    expect(await takePart()).toEqual({ kept: 1 });
  });
});
