import type { ErrorEnvelope, ReceiptList, TransferList, TransferView } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listKeys, putObjects, runSql } from "../../testing/app-clients.ts";
import { createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { openPage, type TestPage } from "../../testing/open-page.ts";
import { startUserAccounts, type UserAccounts } from "../../testing/user-accounts.ts";

// The same promises as against memory, with a real database server and a real S3 server at both ends.

let broker: TestBroker;
let accounts: UserAccounts;
let page: TestPage;
let buildId: string;
let lent: Record<string, string>;

beforeAll(async () => {
  [broker, accounts] = await Promise.all([
    createTestBroker({ emulators: ["turso", "r2"] }),
    startUserAccounts(),
  ]);
  await broker.putOrgKeys();
});
afterAll(() => Promise.all([broker.close(), accounts.close()]));
beforeEach(async () => {
  buildId = (await broker.createBuild({ connectors: ["turso", "r2"] })).id;
  lent = await broker.readEnv(buildId);
  page = await openPage(broker, buildId);
});
afterEach(() => {
  for (const { faults } of broker.emulators.values()) faults.clear();
});

const path = "/v1/settings/transfer";
/** So many that copying them is seen under way, which is told twice a second. */
const manyRows = 14_000;
const fill = async (rows: number) => {
  await runSql(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  await runSql(
    lent,
    `INSERT INTO notes WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i, 'note ' || i || ' ' || hex(randomblob(20)) FROM n`,
  );
  await runSql(lent, "CREATE INDEX notes_by_text ON notes (text)");
};
const upload = (count: number) =>
  putObjects(
    lent,
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`photos/${index} ü.txt`, `photo ${index}`.repeat(50)]),
    ),
  );
const save = async (connector: string, env: Record<string, string>) => {
  const saved = await page.save(connector, env);
  if (saved.status !== 200) throw new Error(saved.text);
};
const start = (body: Record<string, unknown>) => page.call("POST", path, body);
const show = async (connector: string): Promise<TransferView> => {
  const { movable } = (await page.call("GET", path)).body as TransferList;
  return movable.find((each) => each.connector === connector)?.transfer ?? expect.fail("no transfer");
};
const until = (connector: string, ...states: string[]) =>
  expect
    .poll(async () => (await show(connector)).state, { timeout: 25_000, interval: 20 })
    .toMatch(new RegExp(`^(${states.join("|")})$`));
const untilTidy = (connector: string) =>
  expect.poll(async () => (await show(connector)).tidying, { timeout: 25_000 }).toBe(false);
const countNotes = async (env: Record<string, string>) =>
  (await runSql(env, "SELECT count(*) AS rows FROM notes"))[0]?.rows;
const countTables = async (env: Record<string, string>) =>
  (await runSql(env, "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'notes'"))[0]?.n;
const insert = () => runSql(lent, "INSERT INTO notes (text) VALUES ('later')");
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;

describe("moving 4,000 rows and 60 files", () => {
  it("proves every one of them, stops the source, and the env then reads what was moved", async () => {
    await Promise.all([fill(4_000), upload(60)]);
    const [database, bucket] = [await accounts.addDatabase(), await accounts.addBucket()];
    await save("turso", database.env);
    await save("r2", bucket.env);
    expect((await start({})).status).toBe(202);
    await until("r2", "copied", "failed");
    await until("turso", "copied", "failed");
    expect(await show("turso")).toMatchObject({
      state: "copied",
      progress: { rows: 4_000, rowsTotal: 4_000 },
    });
    expect(await show("r2")).toMatchObject({
      state: "copied",
      progress: { objects: 60, objectsTotal: 60 },
    });
    await expect(insert()).rejects.toThrow(/block/i);
    expect(await countNotes(lent)).toBe(4_000);
    const swapped = await page.call("POST", "/v1/settings/swap", { expectedVersion: await page.version() });
    expect([swapped.status, swapped.status === 200 ? "" : swapped.text]).toEqual([200, ""]);
    const env = await broker.readEnv(buildId);
    expect(env.TURSO_DATABASE_URL).toBe(database.env.TURSO_DATABASE_URL);
    expect([await countNotes(env), (await listKeys(env)).length]).toEqual([4_000, 60]);
    await runSql(env, "INSERT INTO notes (text) VALUES ('mine')");
    await expect(insert()).rejects.toThrow(/block/i);

    const { receipts } = (await page.call("GET", `${path}/receipt`)).body as ReceiptList;
    expect(receipts.map(({ content }) => content)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ connector: "turso", database: expect.objectContaining({ rows: 4_000 }) }),
        expect.objectContaining({ connector: "r2", storage: expect.objectContaining({ objects: 60 }) }),
      ]),
    );
    const secrets = [database.env.TURSO_AUTH_TOKEN, bucket.env.R2_SECRET_ACCESS_KEY, lent.TURSO_AUTH_TOKEN];
    expect(secrets.filter((secret = "") => JSON.stringify(receipts).includes(secret))).toEqual([]);

    await page.call("POST", "/v1/settings/revert", { expectedVersion: await page.version() });
    await untilTidy("turso");
    await insert();
    expect([await countNotes(lent), await countNotes(database.env)]).toEqual([4_001, 4_001]);
  });
});

describe("a database", () => {
  it("is as it was after a cancel in the middle", async () => {
    await fill(manyRows);
    const own = await accounts.addDatabase();
    await save("turso", own.env);
    await start({ connectors: ["turso"] });
    await until("turso", "copying");
    expect((await page.call("POST", `${path}/cancel`, {})).status).toBe(202);
    await untilTidy("turso");
    expect((await show("turso")).state).toBe("cancelled");
    await insert();
    expect([await countNotes(lent), await countTables(own.env)]).toEqual([manyRows + 1, 0]);
    await page.call("POST", `${path}/resume`, {});
    await until("turso", "copied");
    expect(await countNotes(own.env)).toBe(manyRows + 1);
  });

  it("is moved to its end by the broker that comes after a restart", async () => {
    await fill(manyRows);
    const own = await accounts.addDatabase();
    await save("turso", own.env);
    await start({ connectors: ["turso"] });
    await until("turso", "copying");
    await broker.restart();
    await until("turso", "copied");
    expect(await countNotes(own.env)).toBe(manyRows);
  });

  it("accepts writes again when the user's fills up, which is emptied again", async () => {
    await fill(4_000);
    const own = await accounts.addDatabase({ maxDatabaseSize: "60KB" });
    await save("turso", own.env);
    await start({ connectors: ["turso"] });
    await until("turso", "failed");
    await untilTidy("turso");
    expect((await show("turso")).error).toMatchObject({
      code: "quota_exceeded",
      message: "there is not enough space in your Turso account",
    });
    await insert();
    expect(await countTables(own.env)).toBe(0);
  });

  it("accepts writes again when the user's key dies in the middle", async () => {
    await fill(manyRows);
    const own = await accounts.addDatabase();
    await save("turso", own.env);
    await start({ connectors: ["turso"] });
    await until("turso", "copying");
    await own.revoke();
    await until("turso", "failed");
    await untilTidy("turso");
    expect((await show("turso")).error?.message).toMatch(/your key for Turso was refused/);
    await insert();
  });

  it("is not stopped when the provider cannot be asked to, and says so", async () => {
    await fill(10);
    const own = await accounts.addDatabase();
    await save("turso", own.env);
    broker.emulators
      .get("turso")
      ?.faults.add({ kind: "status", status: 403, method: "PATCH", path: /configuration$/ });
    await start({ connectors: ["turso"] });
    await until("turso", "failed");
    await untilTidy("turso");
    await insert();
    expect(await countTables(own.env)).toBe(0);
  });

  it("goes over what the user's holds only when told", async () => {
    await fill(10);
    const own = await accounts.addDatabase();
    await runSql(own.env, "CREATE TABLE mine (id)");
    await save("turso", own.env);
    expect(error(await start({ connectors: ["turso"] })).code).toBe("target_not_empty");
    expect((await start({ connectors: ["turso"], overwrite: true })).status).toBe(202);
    await until("turso", "copied");
    expect(await countNotes(own.env)).toBe(10);
    await expect(runSql(own.env, "SELECT * FROM mine")).rejects.toThrow(/no such table/);
  });
});

describe("files", () => {
  it("that do not fit are told, and going on after that copies the rest", async () => {
    await upload(60);
    const small = await accounts.addBucket({ bytesMax: 12_000 });
    await save("r2", small.env);
    await start({ connectors: ["r2"] });
    await until("r2", "failed");
    await untilTidy("r2");
    expect((await show("r2")).error).toMatchObject({
      code: "quota_exceeded",
      message: "there is not enough space in your Cloudflare R2 account",
    });
    const large = await accounts.addBucket();
    await save("r2", large.env);
    expect((await page.call("POST", `${path}/resume`, {})).status).toBe(202);
    await until("r2", "copied");
    expect((await listKeys(large.env)).length).toBe(60);
  });

  it("wait for a store that is down for a moment", async () => {
    await upload(40);
    const own = await accounts.addBucket();
    await save("r2", own.env);
    broker.emulators.get("r2")?.faults.add({ kind: "status", status: 503, method: "GET" }, 2);
    await start({ connectors: ["r2"] });
    await until("r2", "copied");
    expect((await listKeys(own.env)).length).toBe(40);
  });

  it("of the user's own stay, and only those of the same name are replaced when told", async () => {
    await upload(5);
    const own = await accounts.addBucket();
    await putObjects(own.env, { "mine.txt": "mine", "photos/1 ü.txt": "old" });
    await save("r2", own.env);
    expect(error(await start({ connectors: ["r2"] })).code).toBe("target_not_empty");
    await start({ connectors: ["r2"], overwrite: true });
    await until("r2", "copied");
    expect((await listKeys(own.env)).toSorted()).toEqual(
      ["mine.txt", ...Array.from({ length: 5 }, (_, index) => `photos/${index} ü.txt`)].toSorted(),
    );
  });
});
