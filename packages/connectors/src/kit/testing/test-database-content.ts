import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ContentTools, collect, inPieces, row, table } from "./content-tools.ts";
import { describeFailing } from "./failing-content-promises.ts";
import { openEmulatorTarget, testContext } from "./harness.ts";
import { describeTakingBack } from "./taking-back-promises.ts";
import type { DatabaseSuite } from "./test-database.ts";

export type DatabaseContentSuite = Pick<DatabaseSuite, "connector" | "startEmulator" | "client"> & {
  /** Statements that fill a database with what this kind of database can hold. */
  readonly samples: readonly { readonly what: string; readonly statements: readonly string[] }[];
};

/** Registers what the content of every database connector promises, tried between databases that users have. */
export function testDatabaseContent(suite: DatabaseContentSuite): void {
  const content = suite.connector.database?.content;
  if (content === undefined) throw new Error(`connector ${suite.connector.spec.id} moves no content`);
  let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
  const context = () => testContext({ baseUrl: target.baseUrl });
  const tools: ContentTools = {
    content,
    context,
    newDatabase: async () => secretValues(await target.emulator.createUserEnv()),
    run: async (values, ...statements) => {
      const session = suite.client.open(values);
      for (const statement of statements) await session.run(statement);
      session.close();
    },
    dump: (values) => collect(content.dump(context(), values)),
    load: (values, dump) => content.load(context(), values, inPieces(dump)),
    summarize: (values) => content.summarize(context(), values),
  };

  describe(`${suite.connector.spec.id} moves what is in its databases`, () => {
    beforeAll(async () => {
      target = await openEmulatorTarget(suite.startEmulator);
    });
    afterAll(() => target?.close());
    describeMoving(tools, suite);
    describeBrokenDumps(tools);
    describeTargets(tools);
    describeTakingBack(tools);
    describeFailing(tools);
    describeFile(tools);
    describeDurability(tools);
  });
}

function describeMoving(tools: ContentTools, { samples }: DatabaseContentSuite): void {
  const { newDatabase, run, dump, load, summarize } = tools;

  test.each(samples)("$what: the same is there afterwards", async ({ statements }) => {
    const [source, target] = [await newDatabase(), await newDatabase()];
    await run(source, ...statements);
    const before = await summarize(source);
    await load(target, await dump(source));
    expect(await summarize(target)).toEqual(before);
    expect(await summarize(source)).toEqual(before);
  });

  test("a summary names every table once, with its rows, in the order of names", async () => {
    const source = await newDatabase();
    await run(source, "CREATE TABLE kl_second (x INTEGER)", table, row(1), row(2));
    const { tables, schemaSha256 } = await summarize(source);
    expect(tables.map(({ name, rows }) => [name, rows])).toEqual([
      ["kl_first", 2],
      ["kl_second", 0],
    ]);
    expect([schemaSha256, ...tables.map(({ sha256 }) => sha256)].join()).toMatch(
      /^[0-9a-f]{64}(?:,[0-9a-f]{64}){2}$/,
    );
  });

  test.each([
    ["another value", "UPDATE kl_first SET body = 'other' WHERE id = 1"],
    ["a row less", "DELETE FROM kl_first WHERE id = 1"],
    ["a row more", row(3)],
    ["another key", "UPDATE kl_first SET id = 9 WHERE id = 1"],
    ["a table more", "CREATE TABLE kl_third (x INTEGER)"],
    ["an index", "CREATE INDEX kl_index ON kl_first (body)"],
  ])("a summary shows %s", async (_what, change) => {
    const source = await newDatabase();
    await run(source, table, row(1), row(2));
    const before = await summarize(source);
    await run(source, change);
    expect(await summarize(source)).not.toEqual(before);
  });

  test("two dumps of the same are the same", async () => {
    const source = await newDatabase();
    await run(source, table, row(1));
    expect((await dump(source)).equals(await dump(source))).toBe(true);
  });
}

function describeBrokenDumps({ newDatabase, run, dump, load }: ContentTools): void {
  test.each([
    ["nothing", () => Buffer.alloc(0)],
    ["the beginning", (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ["all but the last byte", (whole: Buffer) => whole.subarray(0, -1)],
    ["one byte changed", (whole: Buffer) => flipped(whole, whole.length / 2)],
    ["the last bytes changed", (whole: Buffer) => flipped(whole, whole.length - 5)],
    ["two dumps after each other", (whole: Buffer) => Buffer.concat([whole, whole])],
  ])("a dump of which there is %s is never reported as loaded", async (_what, change) => {
    const [source, target] = [await newDatabase(), await newDatabase()];
    await run(source, table, row(1), row(2));
    const broken = change(await dump(source));
    await expect(load(target, broken)).rejects.toMatchObject({
      name: "ProviderError",
      code: "rejected",
      retryable: false,
    });
  });
}

function describeTargets({ content, context, newDatabase, run, dump, load, summarize }: ContentTools): void {
  test("a database that holds something is not loaded into, until it is emptied", async () => {
    const [source, target] = [await newDatabase(), await newDatabase()];
    await run(source, table, row(1));
    await run(target, "CREATE TABLE kl_mine (x INTEGER)");
    const held = await summarize(target);
    const whole = await dump(source);
    await expect(load(target, whole)).rejects.toMatchObject({ code: "conflict", retryable: false });
    expect(await summarize(target)).toEqual(held);
    await content.empty(context(), target);
    await load(target, whole);
    expect(await summarize(target)).toEqual(await summarize(source));
  });

  test("emptying leaves what a new database has, and may be done again", async () => {
    const [target, fresh] = [await newDatabase(), await newDatabase()];
    await run(
      target,
      table,
      row(1),
      "CREATE INDEX kl_index ON kl_first (body)",
      "CREATE VIEW kl_view AS SELECT 1 AS x",
    );
    await content.empty(context(), target);
    await content.empty(context(), target);
    expect(await summarize(target)).toEqual(await summarize(fresh));
  });

  test("a load that was broken off is done anew after emptying", async () => {
    const [source, target] = [await newDatabase(), await newDatabase()];
    await run(source, table, row(1), row(2));
    const whole = await dump(source);
    const breaking = async function* () {
      yield whole.subarray(0, whole.length - 10);
      throw new Error("the store is gone");
    };
    await expect(content.load(context(), target, breaking())).rejects.toThrow("the store is gone");
    await content.empty(context(), target);
    await load(target, whole);
    expect(await summarize(target)).toEqual(await summarize(source));
  });
}

function describeFile({ content, newDatabase, run, dump }: ContentTools): void {
  test("a file is made of a dump, for its owner alone, and of a broken one none", async () => {
    const directory = await mkdtemp(join(tmpdir(), "keyloan-content-file-"));
    const path = join(directory, `mine.${content.file.extension}`);
    const source = await newDatabase();
    await run(source, table, row(1));
    const whole = await dump(source);
    await expect(content.writeFile(inPieces(whole.subarray(0, -9)), path)).rejects.toMatchObject({
      code: "rejected",
    });
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    await content.writeFile(inPieces(whole), path);
    const { mode, size } = await stat(path);
    expect([mode & 0o777, size > 0]).toEqual([0o600, true]);
    expect(content.file.mediaType).toMatch(/^[a-z]+\/[a-z0-9.+-]+$/);
    await rm(directory, { recursive: true });
  });
}

function describeDurability({ content, context, newDatabase, run, summarize }: ContentTools): void {
  test("a probe finds a database durable, tells of a table that is missing, and leaves nothing", async () => {
    const values = await newDatabase();
    await run(values, table);
    const before = await summarize(values);
    const answer = await content.probeDurability(context(), values, { migrationsTable: "kl_first" });
    expect(answer.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(answer.steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["write", "read_back", "delete", "migrations_table"]),
    );
    const lacking = await content.probeDurability(context(), values, { migrationsTable: "kl_missing" });
    expect(lacking.steps.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["migrations_table"]);
    expect(await summarize(values)).toEqual(before);
  });
}

function flipped(bytes: Buffer, place: number): Buffer {
  const changed = Buffer.from(bytes);
  const at = Math.floor(place);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
