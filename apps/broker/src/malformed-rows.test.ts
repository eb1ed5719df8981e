import type { BuildView, Health } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMemoryBroker, type MemoryBroker, ownValues } from "./testing/memory-broker.ts";
import { openPage } from "./testing/open-page.ts";
import { createStoreWriter, type StoreWriter } from "./testing/store-writer.ts";
import { sweepExpired } from "./verbs/builds/sweep-expired.ts";

// Who writes to the store puts something there that is nothing of ours: it spoils its own row alone.

const hourMs = 3_600_000;
let memory: MemoryBroker;
let writer: StoreWriter;
beforeAll(async () => {
  memory = await createMemoryBroker();
  writer = await createStoreWriter(memory.broker.dataDirectory);
});
afterEach(() =>
  writer.run("DELETE FROM jobs WHERE id LIKE '%bad1'", "DELETE FROM builds WHERE name = 'bad'"),
);
afterAll(() => memory.close());

const job = {
  ...{ id: "job_0000000000000000bad1", kind: "issue", entity_id: "x", state: "waiting" },
  ...{ run_after: 1, attempts: 0, fence: 0, created_at: 1 },
};
const blob = "x'ff00'";

type Spoil = (buildId: string) => Promise<void>;
const set =
  (table: string, column: string, value: string): Spoil =>
  (buildId) =>
    writer.run(`UPDATE ${table} SET ${column} = ${value} WHERE build_id = '${buildId}'`);
const setBuild =
  (column: string, value: string): Spoil =>
  (buildId) =>
    writer.run(`UPDATE builds SET ${column} = ${value} WHERE id = '${buildId}'`);
const addJob =
  (changes: Record<string, string>): Spoil =>
  () =>
    writer.insert("jobs", { ...job, ...changes });

const spoiled: readonly (readonly [what: string, spoil: Spoil])[] = [
  ["a job's payload that is no JSON", addJob({ payload: "{" })],
  [
    "a job that requires an action that is no JSON",
    addJob({ state: "requires_action", required_action: "{" }),
  ],
  [
    "a job that requires an action of another form",
    addJob({ state: "requires_action", required_action: '{"steps":7}' }),
  ],
  ["a lease's handle that is no JSON", set("leases", "handle", "'{'")],
  ["a lease's handle that is a list", set("leases", "handle", "'[[]]'")],
  ["a lease's failure of another form", set("leases", "last_error", "'7'")],
  ["a lease's usage and options that are no JSON", set("leases", "usage", "'{', options = '{'")],
  ["a build's way back that is no JSON, and due", setBuild("admin_revert", "'{', expires_at = 1")],
  ["a build's time that is none", setBuild("created_at", "'x', renewable_until = 9e99")],
  ["a build's words that are bytes", setBuild("created_by", `${blob}, name = ${blob}, profile = ${blob}`)],
  [
    "a saved key's check and previews that are no JSON",
    set("user_keys", "last_check", "'{', previews = '{'"),
  ],
];

describe("one row that is none of ours stops nothing of others, and no list", () => {
  it.each(spoiled)("%s", async (_what, spoil) => {
    const { broker } = memory;
    const { id: bad } = await broker.createBuild({
      ...{ name: "bad", connectors: ["memory-files"], ttlSeconds: 7_200 },
    });
    const page = await openPage(broker, bad);
    expect((await page.save("memory-files", ownValues["memory-files"])).status).toBe(200);
    const closed = await broker.createBuild({ connectors: ["memory-database"], ttlSeconds: 7_200 });
    const expired = await broker.createBuild({ connectors: ["memory-database"], ttlSeconds: 3_600 });
    await spoil(bad);
    for (const path of ["/v1/builds", "/v1/jobs", "/v1/leases", "/v1/org-keys"])
      expect([path, (await broker.call("GET", path)).status]).toEqual([path, 200]);
    expect((await broker.call("DELETE", `/v1/builds/${closed.id}`)).status).toBeLessThan(300);
    broker.advance(hourMs + 1_000);
    await sweepExpired(broker.running().deps);
    const stateOf = async (id: string) =>
      ((await broker.call("GET", `/v1/builds/${id}`)).body as BuildView).state;
    for (const { id } of [closed, expired])
      await expect.poll(() => stateOf(id), { timeout: 15_000, interval: 100 }).toBe("closed");
    await broker.runWork("action-reminder");
  });
});

describe("work that fails again and again", () => {
  const health = async () => (await memory.broker.call("GET", "/health/ready")).body as Health;
  const part = async () => (await health()).parts?.find(({ name }) => name === "work");

  it("shows in the health while it does, and not once it goes through again", async () => {
    expect(await part()).toEqual({ name: "work", ok: true });
    // A claim looks at the clock there first.
    const { broker } = memory;
    await writer.run("ALTER TABLE schedules RENAME TO schedules_gone");
    await expect.poll(part, { timeout: 15_000 }).toMatchObject({
      ok: false,
      message: expect.stringMatching(/jobs \(\d+ times\)/),
    });
    expect(await health()).toMatchObject({ status: expect.not.stringMatching(/^ok$/) });
    await writer.run("ALTER TABLE schedules_gone RENAME TO schedules");
    await expect.poll(part, { timeout: 15_000 }).toEqual({ name: "work", ok: true });
    expect((await broker.call("GET", "/health/ready")).status).toBe(200);
  });
});
