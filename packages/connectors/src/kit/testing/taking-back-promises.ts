import type { SecretValues } from "@keyloan/contract";
import { expect, test } from "vitest";
import { type ContentTools, inPieces, row, table } from "./content-tools.ts";

/** That all of what was loaded, and nothing else, can be taken out of a database again. */
export function describeTakingBack(tools: ContentTools): void {
  const { content, context, newDatabase, run, dump, load, summarize } = tools;
  const owner = "trf_owner";
  const isEmpty = (values: SecretValues) => content.isEmpty(context(), values);
  const takeBack = (values: SecretValues, whose = owner) => content.takeBack(context(), values, whose);
  const mine = [
    "CREATE TABLE kl_mine (x INTEGER PRIMARY KEY AUTOINCREMENT)",
    "INSERT INTO kl_mine VALUES (7)",
  ];
  /** A database that another was loaded into and that is not settled. */
  const loaded = async () => {
    const [source, target] = [await newDatabase(), await newDatabase()];
    await run(source, table, row(1), "CREATE VIEW kl_view AS SELECT 1 AS x");
    const whole = await dump(source);
    await content.load(context(), target, inPieces(whole), undefined, owner);
    return { target, whole };
  };

  test.each([
    ["nothing", [], true],
    ["a table without rows", [table], false],
    ["a view alone", ["CREATE VIEW kl_view AS SELECT 1 AS x"], false],
  ] as const)(
    "a database with %s is empty: what that says is what a load goes by",
    async (_, held, empty) => {
      const [source, target] = [await newDatabase(), await newDatabase()];
      await run(source, table, row(1));
      await run(target, ...held);
      expect(await isEmpty(target)).toBe(empty);
      const before = await summarize(target);
      const loading = content.load(context(), target, inPieces(await dump(source)), undefined, owner);
      if (empty) return expect(await loading).toBeUndefined();
      await expect(loading).rejects.toMatchObject({ code: "conflict" });
      expect(await takeBack(target)).toBe(1);
      expect(await summarize(target)).toEqual(before);
    },
  );

  test("what was loaded is taken back, what somebody made meanwhile stays, and again is the same", async () => {
    const { target } = await loaded();
    await run(target, ...mine, "CREATE VIEW kl_my_view AS SELECT x FROM kl_mine");
    expect([await takeBack(target), await takeBack(target)]).toEqual([2, 2]);
    const alone = await newDatabase();
    await run(alone, ...mine, "CREATE VIEW kl_my_view AS SELECT x FROM kl_mine");
    expect(await summarize(target)).toEqual(await summarize(alone));
  });

  test("a database that holds nothing else is then like a new one, and is filled again", async () => {
    const { target, whole } = await loaded();
    expect(await takeBack(target)).toBe(0);
    expect(await summarize(target)).toEqual(await summarize(await newDatabase()));
    await load(target, whole);
  });

  test.each([
    ["is another's", "trf_other", [], 2],
    ["was made anew by somebody", owner, ["DROP TABLE kl_first", "CREATE TABLE kl_first (mine INTEGER)"], 1],
    ["was settled", owner, ["settle"], 2],
  ] as const)("what %s is not taken back", async (_, whose, statements, left) => {
    const { target } = await loaded();
    for (const statement of statements) {
      if (statement === "settle") await content.settle(context(), target, owner);
      else await run(target, statement);
    }
    const before = await summarize(target);
    expect(await takeBack(target, whose)).toBe(left);
    const after = await summarize(target);
    expect(after.tables).toEqual(before.tables);
    expect(after.schemaSha256 === before.schemaSha256).toBe(left === 2);
    expect(await takeBack(target)).toBe(whose === owner ? left : 0);
  });

  test("what is settled for another is taken back", async () => {
    const { target } = await loaded();
    await content.settle(context(), target, "trf_other");
    expect(await takeBack(target)).toBe(0);
  });

  test("the notes are no content: they are neither summed up nor dumped", async () => {
    const [source, target] = [await newDatabase(), await newDatabase()];
    await run(source, table, row(1));
    const whole = await dump(source);
    await content.load(context(), target, inPieces(whole), undefined, owner);
    expect(await summarize(target)).toEqual(await summarize(source));
    expect((await dump(target)).equals(whole)).toBe(true);
    await content.settle(context(), target, owner);
    expect(await takeBack(target)).toBe(1);
  });
}
