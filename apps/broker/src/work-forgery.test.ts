import { createHash } from "node:crypto";
import { connectors } from "@keyloan/connectors";
import type { BuildView, Health, JobList, SettingsView, TransferList } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createMemoryBroker,
  type MemoryBroker,
  memoryConnectorIds,
  saveOwn,
} from "./testing/memory-broker.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";
import { savedBuild, switchAll } from "./testing/saved-build.ts";
import { startReceiver } from "./testing/start-receiver.ts";
import { createStoreWriter, type StoreRow, type StoreWriter } from "./testing/store-writer.ts";
import { sweepStartOvers } from "./verbs/person/execute-start-over.ts";

// Who writes to the store, without a key of the broker, has it do nothing: no job, no move, no end of anything.

const appSecrets = connectors.filter(({ spec }) => spec.id === "app-secrets");
const poll = { timeout: 15_000, interval: 20 };
let memory: MemoryBroker;
let writer: StoreWriter;
let page: TestPage;
let buildId: string;
let lent: string;

beforeEach(async () => {
  memory = await createMemoryBroker({}, (inMemory) => [...inMemory, ...appSecrets]);
  writer = await createStoreWriter(memory.broker.dataDirectory);
  buildId = (await memory.broker.createBuild({ connectors: memoryConnectorIds, ttlSeconds: 604_800 })).id;
  lent = (await memory.broker.readEnv(buildId)).MEMORY_DATABASE_NAME ?? "";
  page = await openPage(memory.broker, buildId);
  memory.memory.write(lent, "CREATE TABLE notes (text TEXT)");
  memory.memory.write("own-database", "CREATE TABLE mine (text TEXT)");
  await saveOwn(page);
});
afterEach(() => memory.close());

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const tablesOf = (name: string) =>
  memory.memory.databases
    .database(name)
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name: table }) => table);
const move = (body = {}) =>
  page.call("POST", "/v1/settings/transfer", { connectors: ["memory-database"], ...body });
const stateOf = async (connector = "memory-database") => {
  const { movable } = (await page.call("GET", "/v1/settings/transfer")).body as TransferList;
  return movable.find((each) => each.connector === connector)?.transfer?.state;
};
const jobId = "job_0000000000000000evx1";
const job = {
  ...{ id: jobId, state: "waiting", run_after: 1, attempts: 0, fence: 0, created_at: 1 },
  ...{ build_id: null, connector_id: null, payload: null },
};
const stateOfJob = () => writer.only(`SELECT state, last_error FROM jobs WHERE id = '${jobId}'`);
const refused = () => expect.poll(stateOfJob, poll).toEqual({ state: "failed", last_error: "altered" });
const health = async () => (await memory.broker.call("GET", "/health/ready")).body as Health;

/** A transfer as the broker would have written it, with the user's yes to whatever is lost. */
async function transferRow(): Promise<StoreRow> {
  const key = await writer.only(
    `SELECT id FROM user_keys WHERE build_id = '${buildId}' AND connector_id = 'memory-database'`,
  );
  const lease = await writer.only(
    `SELECT id FROM leases WHERE build_id = '${buildId}' AND connector_id = 'memory-database'`,
  );
  const now = memory.broker.now();
  return {
    ...{ id: "tra_0000000000000000evx1", build_id: buildId, connector_id: "memory-database" },
    ...{ kind: "database", state: "waiting", lease_id: lease.id ?? null, user_key_id: key.id ?? null },
    ...{ overwrite: 1, progress: JSON.stringify({ phase: "waiting", at: now }), frozen_at: null },
    ...{ receipt: null, started_by: "admin:admin", created_at: now, asked_at: now, ended_at: null },
    last_error: null,
  };
}
const transferJob = { ...job, kind: "transfer", entity_id: "tra_0000000000000000evx1" };

describe("a job that a store writer puts in", () => {
  it("is not run; it is named by health, the audit and the list of jobs", async () => {
    await writer.insert("transfers", await transferRow());
    await writer.insert("jobs", { ...transferJob, build_id: buildId });
    await refused();
    expect(tablesOf("own-database")).toEqual(["mine"]);
    expect(await health()).toMatchObject({
      status: "degraded",
      parts: expect.arrayContaining([{ name: "work", ok: false, message: expect.stringContaining(jobId) }]),
    });
    const audited = await memory.broker.call("GET", "/v1/audit?action=job.refused");
    expect(audited.text).toContain(jobId);
    expect(memory.broker.logs.join("\n")).toContain(jobId);
    expect((await memory.broker.call("POST", `/v1/jobs/${jobId}/retry`)).status).toBe(409);
  });

  it("gives a forged transfer no job when the broker looks for those that lost theirs", async () => {
    await writer.insert("transfers", await transferRow());
    await memory.broker.runWork("transfer-sweep");
    expect(await writer.only("SELECT count(*) AS count FROM jobs WHERE kind = 'transfer'")).toEqual({
      count: 0,
    });
    expect(tablesOf("own-database")).toEqual(["mine"]);
  });

  it("sends no notice in the broker's name", async () => {
    const receiver = await startReceiver();
    try {
      await memory.broker.restart({ notifyUrl: receiver.url });
      const payload = JSON.stringify({ type: "org_key.still_works", message: "Call this number." });
      await writer.insert("jobs", { ...job, kind: "notify", entity_id: jobId, payload });
      await refused();
      expect(JSON.stringify(receiver.received)).not.toContain("Call this number");
    } finally {
      await receiver.close();
    }
  });

  it("shows none of its words, nor those put into a job of the broker's", async () => {
    const steps = [{ text: "Type your key into this page.", url: "https://evil.example" }];
    const required_action = JSON.stringify({ since: 1, dueAt: 2, steps });
    const far = 9_000_000_000_000_000;
    await writer.insert("jobs", {
      ...job,
      ...{ kind: "release", entity_id: "x", state: "requires_action", run_after: far, required_action },
    });
    await writer.run(
      `UPDATE jobs SET state = 'requires_action', run_after = ${far}, required_action = '${required_action}' WHERE id <> '${jobId}'`,
    );
    const { jobs } = (await memory.broker.call("GET", "/v1/jobs")).body as JobList;
    expect(jobs.find(({ id }) => id === jobId)).toMatchObject({ state: "failed" });
    expect(JSON.stringify(jobs)).not.toContain("evil.example");
    await memory.broker.runWork("action-reminder");
    expect(await writer.rows("SELECT payload FROM jobs WHERE payload LIKE '%evil.example%'")).toEqual([]);
  });
});

describe("a transfer that a store writer changes", () => {
  it("is none any more when a yes to overwriting is put into it", async () => {
    memory.memory.databases.remove("own-database");
    memory.memory.databases.add("own-database");
    const held = Promise.withResolvers<void>();
    memory.memory.control.trouble = () => held.promise;
    expect((await move()).status).toBe(202);
    await expect.poll(() => writer.only("SELECT state FROM transfers"), poll).toEqual({ state: "copying" });
    await writer.run("UPDATE transfers SET overwrite = 1");
    memory.memory.write("own-database", "CREATE TABLE mine (text TEXT)");
    held.resolve();
    await expect.poll(() => writer.rows("SELECT id FROM jobs WHERE state = 'waiting'"), poll).toEqual([]);
    expect(tablesOf("own-database")).toEqual(["mine"]);
    expect(await stateOf()).toBeUndefined();
  });

  /** The row and its job as they were while the user's yes counted, put back now. */
  async function replay(change: () => Promise<void>): Promise<void> {
    const held = Promise.withResolvers<void>();
    memory.memory.control.trouble = () => held.promise;
    expect((await move({ overwrite: true })).status).toBe(202);
    await expect.poll(() => writer.only("SELECT state FROM transfers"), poll).toEqual({ state: "copying" });
    const row = await writer.only("SELECT * FROM transfers");
    const old = await writer.only("SELECT * FROM jobs WHERE kind = 'transfer'");
    held.resolve();
    await expect.poll(() => stateOf(), poll).toBe("copied");
    await change();
    await writer.run("DELETE FROM transfers", `DELETE FROM jobs WHERE id = '${old.id}'`);
    await writer.insert("transfers", row);
    await writer.insert("jobs", { ...old, locked_by: null, locked_until: null, run_after: 1 });
    await expect
      .poll(() => writer.rows(`SELECT id FROM jobs WHERE id = '${old.id}' AND state = 'waiting'`), poll)
      .toEqual([]);
  }

  it("empties nothing a second time once the app uses what was moved", async () => {
    await replay(async () => {
      const swap = { connectors: ["memory-database"] };
      expect((await page.change("POST", "/v1/settings/swap", swap)).status).toBe(200);
      memory.memory.write("own-database", "CREATE TABLE mine (text TEXT)");
    });
    expect(tablesOf("own-database")).toEqual(["mine", "notes"]);
  });

  it("empties nothing a day after the yes", async () => {
    await replay(async () => {
      expect((await page.call("POST", "/v1/settings/transfer/cancel", {})).status).toBeLessThan(300);
      await expect.poll(() => tablesOf("own-database"), poll).toEqual([]);
      memory.memory.write("own-database", "CREATE TABLE mine (text TEXT)");
      memory.broker.advance(25 * 3_600_000);
    });
    expect(tablesOf("own-database")).toEqual(["mine"]);
  });

  it("has no file of the user's taken for ours", async () => {
    const own = memory.memory.storage.bucket("own-files");
    const lentFiles = (await memory.broker.readEnv(buildId)).MEMORY_FILES_NAME ?? "";
    memory.memory.storage.bucket(lentFiles).set("a.txt", "lent");
    const files = { connectors: ["memory-files"] };
    const ended = (state: string) => expect.poll(() => stateOf("memory-files"), poll).toBe(state);
    await page.call("POST", "/v1/settings/transfer", files);
    await ended("copied");
    await page.call("POST", "/v1/settings/transfer/cancel", files);
    await ended("cancelled");
    own.set("a.txt", "mine");
    await writer.run(`UPDATE written_objects SET sha256 = '${sha("mine")}'`);
    const resume = async () => (await page.call("POST", "/v1/settings/transfer/resume", files)).status;
    // What was begun is tidied up first.
    await expect.poll(resume, poll).toBe(202);
    await ended("failed");
    expect(own.get("a.txt")).toBe("mine");
  });
});

describe("other rows that decide", () => {
  it.each([
    ["made due", (id: string) => writer.run(`UPDATE start_overs SET due_at = 1 WHERE build_id = '${id}'`)],
    [
      "put in",
      async (id: string) => {
        await writer.run(`DELETE FROM start_overs WHERE build_id = '${id}'`);
        const row = { id: "sta_0000000000000000evx1", build_id: id, session_id: "x", state: "waiting" };
        await writer.insert("start_overs", { ...row, created_at: 1, due_at: 1 });
      },
    ],
  ])("a start-over %s ends nobody", async (_how, forge) => {
    const victim = await savedBuild(memory.broker);
    await (await openPage(memory.broker, victim.id)).call("POST", "/v1/settings/start-over");
    await forge(victim.id);
    await sweepStartOvers(memory.broker.running().deps);
    expect((await victim.page.settings()).person).toMatchObject({ standing: "you" });
  });

  it("a check that is made to say it is fine, or what to do, is not believed and not shown", async () => {
    await writer.run(
      `UPDATE user_keys SET last_check = '${JSON.stringify({ status: "valid", account: "evil", mode: "test", capabilities: [], warnings: ["Call this number."] })}'`,
    );
    const settings = await page.call("GET", "/v1/settings");
    expect(settings.text).not.toMatch(/evil|Call this number/);
    const keys = JSON.stringify(settings.body as SettingsView);
    expect(keys).not.toContain('"valid"');
    expect((await move({ overwrite: true })).status).toBe(409);
  });

  it("a token that is put in, or may do more than was said, opens nothing", async () => {
    const { broker } = memory;
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
    const { id, token } = made.body as { id: string; token: string };
    const read = () => broker.call("GET", "/v1/builds", { token });
    expect((await read()).status).toBe(200);
    const row = await writer.only(`SELECT * FROM tokens WHERE id = '${id}'`);
    await writer.run(`UPDATE tokens SET scopes = '["builds:read","builds:write"]' WHERE id = '${id}'`);
    expect((await read()).status).toBe(401);
    await writer.run(`DELETE FROM tokens WHERE id = '${id}'`);
    await writer.insert("tokens", { ...row, mac: null });
    expect((await read()).status).toBe(401);
    await writer.run(`DELETE FROM tokens WHERE id = '${id}'`);
    await writer.insert("tokens", row);
    expect((await read()).status).toBe(200);
  });

  it.each([
    "preview = 1",
    "preview = NULL",
    "lease_id = NULL",
    "user_key_id = (SELECT id FROM user_keys LIMIT 1), source = 'user', preview = 1",
  ])("a binding with %s gives the build no value of the user's", async (change) => {
    const { broker } = memory;
    const victim = await savedBuild(broker);
    await switchAll(victim.page);
    await victim.page.change("POST", "/v1/settings/preview", { preview: { "app-secrets": false } });
    const own = await broker.call("GET", `/v1/builds/${victim.id}/env`);
    await writer.run(`UPDATE bindings SET ${change} WHERE build_id = '${victim.id}'`);
    const forged = await broker.call("GET", `/v1/builds/${victim.id}/env`);
    expect([own.status, forged.status]).toEqual([200, 409]);
    expect(forged.text).toContain("absent");
  });

  it("a lease that names what another holds ends nothing of it", async () => {
    const { broker } = memory;
    const attacker = await broker.createBuild({ connectors: ["memory-database"] });
    await writer.run(
      `UPDATE leases SET handle = '${JSON.stringify({ name: lent })}' WHERE build_id = '${attacker.id}'`,
    );
    await broker.call("DELETE", `/v1/builds/${attacker.id}`);
    const state = async () =>
      ((await broker.call("GET", `/v1/builds/${attacker.id}`)).body as BuildView).state;
    await expect.poll(state, poll).toBe("closed");
    expect(memory.memory.dropped).not.toContain(lent);
    expect(tablesOf(lent)).toEqual(["notes"]);
  });
});
