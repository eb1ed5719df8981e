import type { AuditList, ErrorEnvelope, TransferList } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowTokens } from "../../testing/allow-tokens.ts";
import { getObject, putObjects, runSql } from "../../testing/app-clients.ts";
import { type Answer, createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { openPage } from "../../testing/open-page.ts";
import { startUserAccounts, type UserAccounts } from "../../testing/user-accounts.ts";

// What a user has in their account is replaced or removed by their own clear yes alone, for that one time.

let broker: TestBroker;
let accounts: UserAccounts;
beforeAll(async () => {
  [broker, accounts] = await Promise.all([
    createTestBroker({ emulators: ["turso", "r2"] }),
    startUserAccounts(),
  ]);
  await broker.putOrgKeys();
});
afterAll(() => Promise.all([broker.close(), accounts.close()]));

const path = "/v1/settings/transfer";
const poll = { timeout: 60_000, interval: 5 };
const error = (answer: Answer) => (answer.body as ErrorEnvelope).error;

/** A build with lent keys of a connector, an account of its user's own, and what one does with them. */
async function setUp(connector: "turso" | "r2") {
  const { id } = await broker.createBuild({ connectors: [connector] });
  const lent = await broker.readEnv(id);
  const page = await openPage(broker, id);
  const own = (connector === "r2" ? await accounts.addBucket() : await accounts.addDatabase()).env;
  const transfer = async () => ((await page.call("GET", path)).body as TransferList).movable[0]?.transfer;
  const ended = async () => {
    await expect.poll(async () => (await transfer())?.state, poll).toMatch(/copied|failed|cancelled/);
    await expect.poll(async () => (await transfer())?.tidying, poll).toBe(false);
  };
  const post = async (end: string, body: Record<string, unknown> = {}) => {
    const answer = await page.call("POST", path + end, body);
    if (answer.status === 202) await ended();
    return answer;
  };
  const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:write"] } });
  const { token } = made.body as { token: string };
  return {
    id,
    lent,
    page,
    own,
    transfer,
    ended,
    save: async () => expect((await page.save(connector, own)).status).toBe(200),
    move: (body = {}) => post("", body),
    cancel: () => post("/cancel"),
    resume: (body = {}) => post("/resume", body),
    /** The same by a token that the user lets move data. */
    byToken: async (end: "" | "/resume", body: Record<string, unknown>) => {
      await allowTokens(broker, id, "transfer");
      const answer = await broker.call("POST", `/v1/builds/${id}/transfers${end}`, { token, body });
      if (answer.status === 202) await ended();
      return answer;
    },
  };
}

describe("a database", () => {
  const ours = "_keyloan_load_journal";
  const made = async (env: Record<string, string>) =>
    (await runSql(env, "SELECT name FROM sqlite_schema ORDER BY name")).map(({ name }) => name);

  it("that holds views alone is not empty, and is as it was", async () => {
    const { lent, own, save, move } = await setUp("turso");
    await runSql(lent, "CREATE TABLE notes (a)");
    await runSql(own, "CREATE VIEW report AS SELECT 1 AS x");
    await save();
    expect(error(await move()).code).toBe("target_not_empty");
    expect(await made(own)).toEqual(["report"]);
  });

  it("keeps a table that its user made while the copy ran, which is told, and nothing of ours", async () => {
    const { id, lent, page, own, ended, save } = await setUp("turso");
    await runSql(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
    await runSql(
      lent,
      "INSERT INTO notes WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i, hex(randomblob(30)) FROM n",
    );
    await save();
    await page.call("POST", path, {});
    await expect.poll(() => made(own), poll).toContain("notes");
    await runSql(own, "CREATE TABLE mine (a)");
    await page.call("POST", `${path}/cancel`, {});
    await ended();
    expect(await made(own)).toEqual(["mine"]);
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&limit=200`)).body as AuditList;
    expect(events.find(({ action }) => action === "transfer.left_theirs")?.details).toMatchObject({
      kept: 1,
    });
  }, 120_000);

  it("keeps what came into it since its user said that all of it may go", async () => {
    const { lent, own, save, move, cancel, resume } = await setUp("turso");
    await runSql(lent, "CREATE TABLE notes (a)");
    await save();
    await move({ overwrite: true });
    await cancel();
    await runSql(own, "CREATE TABLE mine (a)");
    expect(error(await resume()).code).toBe("target_not_empty");
    expect(await made(own)).toEqual(["mine"]);
    expect((await resume({ overwrite: true })).status).toBe(202);
    expect(await made(own)).toEqual([ours, "notes"]);
  }, 90_000);

  it("holds notes of ours until its user switches to it, and none from then on", async () => {
    const { lent, own, page, save, move, transfer } = await setUp("turso");
    await runSql(lent, "CREATE TABLE notes (a)");
    await save();
    await move();
    expect([(await transfer())?.state, await made(own)]).toEqual(["copied", [ours, "notes"]]);
    await page.change("POST", "/v1/settings/swap", {});
    expect(await made(own)).toEqual(["notes"]);
  }, 90_000);
});

describe("a file", () => {
  const get = (env: Record<string, string>, key: string) => getObject(env, key);

  it("is not replaced by a token that may move, also when an earlier move left some there", async () => {
    const { lent, own, save, move, cancel, byToken, transfer } = await setUp("r2");
    await putObjects(lent, { "index.html": "lent" });
    await save();
    await move();
    await cancel();
    await putObjects(own, { "index.html": "USER", "plan.txt": "USER" });
    await putObjects(lent, { "index.html": "evil", "plan.txt": "evil" });
    await byToken("", {});
    expect((await transfer())?.error).toMatchObject({
      code: "target_not_empty",
      message: expect.stringMatching(/"(index\.html|plan\.txt)"/),
    });
    expect([await get(own, "index.html"), await get(own, "plan.txt")]).toEqual(["USER", "USER"]);
  }, 90_000);

  it("is not replaced by a token that goes on with a move begun with overwrite, whatever it sends", async () => {
    const { lent, own, save, move, cancel, byToken } = await setUp("r2");
    await putObjects(lent, { "a.txt": "lent" });
    await putObjects(own, { "other.txt": "USER" });
    await save();
    await move({ overwrite: true });
    await cancel();
    await putObjects(lent, { "other.txt": "forged" });
    for (const body of [{}, { overwrite: false }, { overwrite: true }])
      expect(error(await byToken("/resume", body)).code).toBe("person_decides");
    expect(await get(own, "other.txt")).toBe("USER");
  }, 90_000);

  it("is not replaced when it came since its user said that files may be, nor when they changed ours", async () => {
    const { lent, own, save, move, cancel, resume, transfer } = await setUp("r2");
    await putObjects(lent, { "a.txt": "lent", "b.txt": "lent" });
    await putObjects(own, { "a.txt": "USER" });
    await save();
    await move({ overwrite: true });
    await cancel();
    await putObjects(own, { "b.txt": "USER" });
    await putObjects(lent, { "a.txt": "lent 2" });
    await resume();
    expect((await transfer())?.error?.code).toBe("target_not_empty");
    expect(await get(own, "b.txt")).toBe("USER");
    await resume({ overwrite: true });
    expect([await get(own, "a.txt"), await get(own, "b.txt")]).toEqual(["lent 2", "lent"]);
  }, 90_000);

  it("that we wrote and nobody changed is replaced by its newer version without asking", async () => {
    const { lent, own, save, move, cancel, resume, transfer } = await setUp("r2");
    await putObjects(lent, { "log.txt": "one", "same.txt": "same" });
    await save();
    await move();
    await cancel();
    await putObjects(lent, { "log.txt": "two" });
    await resume();
    expect([(await transfer())?.state, await get(own, "log.txt")]).toEqual(["copied", "two"]);
    await cancel();
    await putObjects(lent, { "log.txt": "three" });
    await move();
    expect([(await transfer())?.state, await get(own, "log.txt")]).toEqual(["copied", "three"]);
  }, 90_000);

  it.each([
    ["with the data", true],
    ["without the data", false],
  ])(
    "that the app wrote since a switch %s stays, whichever moves were before",
    async (_, moved) => {
      const { id, lent, page, own, save, move, cancel, ended } = await setUp("r2");
      await putObjects(lent, { "notes.json": "old", "kept.json": "old" });
      await save();
      await move();
      await cancel();
      if (moved) await move();
      expect((await page.change("POST", "/v1/settings/swap", { preview: { r2: true } })).status).toBe(200);
      await putObjects(await broker.readEnv(id), { "notes.json": "NEW" });
      expect((await page.change("POST", "/v1/settings/revert")).status).toBe(200);
      await ended();
      await putObjects(lent, { "kept.json": "newer" });
      expect(error(await move()).code).toBe("target_not_empty");
      expect([await get(own, "notes.json"), await get(own, "kept.json")]).toEqual(["NEW", "old"]);
    },
    90_000,
  );
});
