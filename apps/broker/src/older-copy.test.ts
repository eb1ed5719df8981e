import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProviderError, type TransferList } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runDueWork, scheduledWork } from "./schedule.ts";
import { finishWork } from "./testing/finish-work.ts";
import { createMemoryBroker, type MemoryBroker, ownValues } from "./testing/memory-broker.ts";
import { openPage, openPageBy, recoveryCodeOf, type TestPage } from "./testing/open-page.ts";
import { createStoreWriter } from "./testing/store-writer.ts";
import { jobDefinitions } from "./work.ts";

// What an older copy of the store says is not known to be true any more: by it nothing ends, and nothing is taken away.

const hourMs = 3_600_000;
const own = ownValues["memory-database"];
let folder: string;
let memory: MemoryBroker["memory"];
let broker: MemoryBroker["broker"];
let close: MemoryBroker["close"];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-older-"));
  ({ memory, broker, close } = await createMemoryBroker({
    config: { auditSink: join(folder, "heads.jsonl") },
  }));
});
afterEach(async () => {
  await close();
  await rm(folder, { recursive: true, force: true });
});

const copyStore = async () => {
  // Its key is then known to the copy too.
  await broker.call("GET", "/v1/audit/head");
  const path = join(folder, "older.db");
  await broker.running().deps.store.copyTo(path);
  return path;
};
/** Signs a head that the copy does not know, and puts the copy into the store's place some hours later. */
async function putBack(copy: string, hours: number): Promise<void> {
  await broker.call("GET", "/v1/audit/head");
  broker.advance(hours * hourMs);
  await broker.putBack(copy);
  expect(await status()).toBe("degraded");
}
const status = async () =>
  ((await broker.call("GET", "/health/ready", { token: null })).body as { status: string }).status;
const accept = async () => expect((await broker.call("POST", "/v1/audit/accept-head")).status).toBe(200);
/** All that the broker does by itself. */
async function work(): Promise<void> {
  const { deps } = broker.running();
  await runDueWork(deps, new AbortController().signal);
  await finishWork(deps);
}
const settings = "/v1/settings";

/** A build whose data is in its user's database, proven. */
async function movedBuild(): Promise<{ readonly id: string; readonly page: TestPage }> {
  const { id } = await broker.createBuild({ connectors: ["memory-database"], ttlSeconds: 604_800 });
  const lent = (await broker.readEnv(id)).MEMORY_DATABASE_NAME ?? "";
  memory.databases.database(lent).exec("CREATE TABLE notes (text); INSERT INTO notes VALUES ('a')");
  const page = await openPage(broker, id);
  await page.save("memory-database", own);
  await page.change("POST", `${settings}/transfer`, { connectors: ["memory-database"] });
  const state = async () =>
    ((await page.call("GET", `${settings}/transfer`)).body as TransferList).movable[0]?.transfer?.state;
  await expect.poll(state).toBe("copied");
  return { id, page };
}
const switchTo = async (page: TestPage) => {
  await page.change("POST", `${settings}/swap`, { preview: { "memory-database": true } });
  await finishWork(broker.running().deps);
};
const tables = () =>
  memory.databases
    .database("own-database")
    .prepare("SELECT name FROM sqlite_schema")
    .all()
    .map(({ name }) => name);

describe("a store that was put back", () => {
  it("ends no lending that was taken up again since, until a person has accepted it", async () => {
    const { id } = await broker.createBuild({ connectors: ["memory-database"], ttlSeconds: 604_800 });
    const page = await openPage(broker, id);
    await page.save("memory-database", own);
    await page.change("POST", `${settings}/swap`, { preview: { "memory-database": false } });
    const copy = await copyStore();
    await page.change("POST", `${settings}/revert`);
    await putBack(copy, 25);
    await work();
    expect(memory.dropped).toEqual([]);
    await accept();
    await work();
    expect(memory.dropped).toHaveLength(1);
  });

  it("carries out no start over that was refused since", async () => {
    const { id } = await broker.createBuild({ connectors: ["memory-files"], ttlSeconds: 604_800 });
    const page = await openPage(broker, id);
    const recovery = recoveryCodeOf(await page.save("memory-files", ownValues["memory-files"]));
    await (await openPage(broker, id)).call("POST", `${settings}/start-over`);
    const made = await broker.call("POST", `/v1/builds/${id}/handoff`, { body: { ttlSeconds: 604_800 } });
    const code = new URL((made.body as { url: string }).url).hash.replace("#code=", "");
    const copy = await copyStore();
    await page.call("DELETE", `${settings}/start-over`);
    await putBack(copy, 25);
    await work();
    // Nor does whoever asks once more have it carried out.
    const other = await openPageBy(broker, { code });
    expect((await other.call("POST", `${settings}/start-over`)).status).toBe(200);
    expect((await (await openPageBy(broker, { recovery })).settings()).person.standing).toBe("you");
  });

  it("takes no copy back that its user has switched to since, nor when a person has accepted it", async () => {
    const { page } = await movedBuild();
    const copy = await copyStore();
    await switchTo(page);
    await putBack(copy, 2);
    await work();
    const waiting = await broker.running().deps.store.read.jobs.list({ kind: "end-transfer", limit: 2 });
    expect(waiting.map(({ state }) => state)).toEqual(["waiting"]);
    await accept();
    await work();
    expect(await broker.running().deps.store.read.jobs.list({ state: "waiting", limit: 2 })).toEqual([]);
    expect(tables()).toEqual(["notes"]);
  });

  it("lets only this go on by itself: what tells, and what carries out an end that nobody can take back", () => {
    const goesOn = ([, { whileDegraded }]: readonly [string, { readonly whileDegraded?: true }]) =>
      whileDegraded === true;
    const kinds = Object.entries(jobDefinitions).filter(goesOn);
    expect(kinds.map(([kind]) => kind)).toEqual(["issue", "release", "release-again", "notify"]);
    const works = scheduledWork.map((each) => [each.name, each] as const).filter(goesOn);
    const names = ["audit-head", "org-key-check", "org-key-age", "action-reminder"];
    expect(works.map(([name]) => name)).toEqual(names);
  });

  it("still ends what a person asks to be ended", async () => {
    const { id } = await broker.createBuild({ connectors: ["memory-database"] });
    await putBack(await copyStore(), 1);
    expect((await broker.call("DELETE", `/v1/builds/${id}`)).status).toBeLessThan(203);
    await work();
    expect(memory.dropped).toHaveLength(1);
  });
});

describe("a user's database that does not answer after the switch", () => {
  const source = async (id: string) => (await broker.readEnv(id)).MEMORY_DATABASE_NAME ?? "";
  const silent = () => {
    throw new ProviderError("memory-database", "unauthorized", "refuses");
  };

  it("keeps nobody from writing to what was lent, who has gone back to it", async () => {
    const { id, page } = await movedBuild();
    const lent = await source(id);
    memory.databases.trouble["own-database"] = { settle: silent };
    await switchTo(page);
    expect(memory.frozen.has(lent)).toBe(true);
    expect((await page.change("POST", `${settings}/revert`)).status).toBe(200);
    await finishWork(broker.running().deps);
    expect(memory.frozen.has(lent)).toBe(false);
    expect((await page.save("memory-database", own)).status).toBe(200);
  });

  it("loses its notes with a switch that takes no copy along, too", async () => {
    const { page } = await movedBuild();
    memory.databases.trouble["own-database"] = { summarize: silent, settle: silent };
    await page.call("POST", `${settings}/transfer/cancel`, {});
    await finishWork(broker.running().deps);
    memory.databases.trouble["own-database"] = {};
    memory.databases.steps.length = 0;
    await switchTo(page);
    expect(memory.databases.steps).toContain("settle own-database");
    expect(tables()).toEqual(["notes"]);
  });

  it("is asked until it answers, also when lending has ended", async () => {
    const { page } = await movedBuild();
    memory.databases.trouble["own-database"] = { settle: silent };
    await switchTo(page);
    broker.advance(25 * hourMs);
    await work();
    expect(memory.dropped).toHaveLength(1);
    memory.databases.trouble["own-database"] = {};
    broker.advance(hourMs);
    memory.databases.steps.length = 0;
    await work();
    expect(memory.databases.steps).toContain("settle own-database");
    broker.advance(hourMs);
    memory.databases.steps.length = 0;
    await work();
    expect(memory.databases.steps).not.toContain("settle own-database");
  });
});

describe("rows of an earlier moment that somebody wrote back", () => {
  it.each([
    ["while the app uses it", false],
    ["after its user went back", true],
  ])("take no copy out of the user's database, %s", async (_when, goesBack) => {
    const writer = await createStoreWriter(broker.dataDirectory);
    const { page } = await movedBuild();
    const transfer = await writer.only("SELECT * FROM transfers");
    const job = await writer.only("SELECT * FROM jobs WHERE kind = 'end-transfer' AND state = 'waiting'");
    const binding = await writer.only("SELECT * FROM bindings");
    await switchTo(page);
    if (goesBack) await page.change("POST", `${settings}/revert`);
    await finishWork(broker.running().deps);
    broker.advance(2 * hourMs);
    await writer.run(
      "DELETE FROM transfers",
      `DELETE FROM jobs WHERE id = '${job.id}'`,
      "DELETE FROM bindings",
    );
    await writer.insert("bindings", binding);
    await writer.insert("transfers", transfer);
    await writer.insert("jobs", { ...job, run_after: 1 });
    await finishWork(broker.running().deps);
    expect(await writer.rows("SELECT state FROM transfers")).toEqual([{ state: "failed" }]);
    expect(tables()).toEqual(["notes"]);
  });
});
