import type { BuildView } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimJobs } from "./queue/claim-jobs.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { closeExpired } from "./verbs/builds/close-build.ts";
import { sweepExpired } from "./verbs/builds/sweep-expired.ts";

const hourMs = 3_600_000;
let broker: TestBroker;

beforeEach(async () => {
  broker = await createTestBroker({
    emulators: ["turso", "stripe"],
    // Nothing here takes as long as a deadline that is missed would.
    config: { issueDeadlineSeconds: 2 },
  });
  await broker.putOrgKeys();
});
afterEach(() => broker.close());

const deps = () => broker.running().deps;
const turso = () => broker.emulators.get("turso") ?? expect.fail();
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
const createMany = async (count: number, ...connectors: string[]) =>
  (await Promise.all(Array.from({ length: count }, () => broker.createBuild({ connectors })))).map(
    ({ id }) => id,
  );
const countOf = async (entity: string, action: string) => {
  const rows = await deps().store.read.auditEvents.list({ entity, actions: [action], limit: 100 });
  return rows.length;
};
const countEach = (ids: readonly string[], action: string) =>
  Promise.all(ids.map((id) => countOf(id, action)));

describe("builds whose time is over at once", () => {
  it("are all closed, by two brokers together, and nothing is done twice", async () => {
    const ids = [...(await createMany(120, "app-secrets", "stripe")), ...(await createMany(6, "turso"))];
    const second = (await broker.startAnother()).deps;
    broker.advance(25 * hourMs);
    await Promise.all([sweepExpired(deps()), sweepExpired(second)]);
    await Promise.all([finishWork(deps(), ...ids), finishWork(second, ...ids)]);
    await expect
      .poll(async () => (await deps().store.read.builds.list({ state: "closing", limit: 1 })).length)
      .toBe(0);
    const once = ids.map(() => 1);
    expect(await countEach(ids, "build.closing")).toEqual(once);
    expect(await countEach(ids, "build.closed")).toEqual(once);
    expect(await countEach(ids.slice(0, 120), "lease.released")).toEqual(once.slice(0, 120).map(() => 2));
  });

  it("end their lent keys though one provider hangs, of which few calls run at once", async () => {
    const ids = await createMany(24, "app-secrets", "turso");
    turso().faults.add({ kind: "delay", ms: 5_000 }, 1_000);
    broker.advance(25 * hourMs);
    await sweepExpired(deps());
    let mostAtOnce = 0;
    // The broker's own loop claims: two at once would each leave room for what the other has taken.
    const countReleased = async () => {
      const atTurso = deps()
        .runner.load()
        .filter((connector) => connector === "turso");
      mostAtOnce = Math.max(mostAtOnce, atTurso.length);
      const rows = await Promise.all(ids.map((id) => deps().store.read.leases.listByBuild(id)));
      return rows
        .flat()
        .filter(({ connectorId, state }) => connectorId === "app-secrets" && state === "released").length;
    };
    await expect.poll(countReleased, { timeout: 10_000 }).toBe(ids.length);
    expect(mostAtOnce).toBeGreaterThan(0);
    expect(mostAtOnce).toBeLessThanOrEqual(8);
    expect((await Promise.all(ids.map(show))).every(({ state }) => state === "closing")).toBe(true);
  });

  it("are not closed when they were given more time meanwhile", async () => {
    const [id = ""] = await createMany(1, "app-secrets");
    broker.advance(25 * hourMs);
    const due = await deps().store.read.builds.listExpired(broker.now(), 10);
    expect(due).toEqual([id]);
    expect((await broker.call("POST", `/v1/builds/${id}/renew`, { body: {} })).status).toBe(200);
    expect(await closeExpired(deps(), id)).toBe(false);
    expect((await show(id)).state).toBe("ready");
  });

  it("have leases that end when they do, whatever was renewed", async () => {
    const [id = ""] = await createMany(1, "app-secrets", "turso", "stripe");
    broker.advance(2 * hourMs);
    await broker.call("POST", `/v1/builds/${id}/renew`, { body: { ttlSeconds: 100_000 } });
    const { expiresAt, leases } = await show(id);
    expect(leases.map((lease) => lease.expiresAt)).toEqual(leases.map(() => expiresAt));
  });
});

describe("a clock that is set back an hour", () => {
  it("lets no job wait an hour longer", async () => {
    turso().faults.add({ kind: "status", status: 503 }, 1_000);
    const made = await broker.call("POST", "/v1/builds?wait=0", {
      body: { name: "x", connectors: ["turso"] },
    });
    const { id } = made.body as BuildView;
    await deps().runner.settled(id);
    await claimJobs(deps());
    turso().faults.clear();
    expect((await show(id)).leases[0]).toMatchObject({ state: "planned", error: { code: "unavailable" } });
    broker.advance(-hourMs);
    await claimJobs(deps());
    broker.advance(60_000);
    await finishWork(deps(), id);
    expect((await show(id)).state).toBe("ready");
  });

  it("loses nothing, closes nothing twice, and lets what expires do so at its time", async () => {
    const [id = ""] = await createMany(1, "turso", "app-secrets");
    const { expiresAt } = await show(id);
    await claimJobs(deps());
    broker.advance(-hourMs);
    await sweepExpired(deps());
    expect((await show(id)).state).toBe("ready");
    expect(Object.keys(await broker.readEnv(id))).toContain("TURSO_DATABASE_URL");
    broker.advance(Date.parse(expiresAt) - broker.now() - 60_000);
    await sweepExpired(deps());
    expect((await show(id)).state).toBe("ready");

    // Set back once more while what was lent is being ended.
    broker.advance(61_000);
    turso().faults.add({ kind: "status", status: 503 }, 1_000);
    await sweepExpired(deps());
    await finishWork(deps(), id);
    expect((await show(id)).state).toBe("closing");
    turso().faults.clear();
    broker.advance(-hourMs);
    await sweepExpired(deps());
    await claimJobs(deps());
    broker.advance(60_000);
    await finishWork(deps(), id);
    expect((await show(id)).state).toBe("closed");
    expect(await countEach([id], "build.closing")).toEqual([1]);
    expect(await countEach([id], "lease.released")).toEqual([2]);
  });
});
