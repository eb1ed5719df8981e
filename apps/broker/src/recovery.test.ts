import { randomBytes } from "node:crypto";
import { type BuildView, type ErrorEnvelope, Secret } from "@keyloan/contract";
import { createRootKey } from "@keyloan/vault";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso"], config: { issueDeadlineSeconds: 3 } });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const turso = () => broker.emulators.get("turso") ?? expect.fail();
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;

describe("a broker that stops in the middle", () => {
  it("finishes the build after its restart, without making a second database", async () => {
    turso().faults.add({ kind: "delay", ms: 150, method: "POST", path: /\/databases$/ });
    const made = await broker.call("POST", "/v1/builds?wait=0", {
      body: { name: "x", connectors: ["turso"] },
    });
    const { id } = made.body as BuildView;
    await broker.restart();
    // The job of the stopped process is held until its hold runs out, unless it gave it back.
    broker.advance(120_000);
    for (let round = 0; round < 50 && (await show(id)).state !== "ready"; round++) {
      await finishWork(broker.running().deps, id);
    }
    const view = await show(id);
    expect(view.state).toBe("ready");
    expect(Object.keys(await broker.readEnv(id))).toContain("TURSO_DATABASE_URL");
  });
});

describe("a provider that stays down", () => {
  it("leaves the lease planned with its error, and a later run completes the build", async () => {
    turso().faults.add({ kind: "status", status: 503 }, 200);
    const made = await broker.call("POST", "/v1/builds?wait=5", {
      body: { name: "x", connectors: ["turso"] },
    });
    expect(made.status).toBe(202);
    const { id, leases } = made.body as BuildView;
    expect(leases[0]).toMatchObject({ state: "planned", error: { code: "unavailable", retryable: true } });
    turso().faults.clear();
    broker.advance(60_000);
    await finishWork(broker.running().deps, id);
    expect((await show(id)).state).toBe("ready");
  });

  it("does not hold the caller longer than it asked to wait", async () => {
    turso().faults.add({ kind: "delay", ms: 2_500, method: "POST", path: /\/databases$/ });
    const started = performance.now();
    const made = await broker.call("POST", "/v1/builds?wait=1", {
      body: { name: "x", connectors: ["turso"] },
    });
    expect(made.status).toBe(202);
    expect(performance.now() - started).toBeLessThan(2_300);
    await broker.running().deps.runner.settled((made.body as BuildView).id);
  });
});

describe("an org key that is refused", () => {
  it("lets the lease wait for a person, and a new key completes the build by itself", async () => {
    turso().faults.add({ kind: "status", status: 401, method: "POST", path: /\/databases$/ });
    const made = await broker.call("POST", "/v1/builds", { body: { name: "x", connectors: ["turso"] } });
    const { id, leases } = made.body as BuildView;
    expect(leases[0]).toMatchObject({
      state: "requires_action",
      error: { code: "unauthorized", retryable: false },
    });
    await broker.putOrgKeys("turso");
    await finishWork(broker.running().deps, id);
    expect((await show(id)).state).toBe("ready");
  });
});

describe("the root key", () => {
  it("is rotated by re-wrapping alone, and the old one may then be taken away", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const before = await broker.readEnv(id);
    const lease = await broker.running().deps.store.read.leases.listByBuild(id);
    const oldKey = broker.config.rootKey;
    const newKey = createRootKey(randomBytes).line;
    await broker.restart({ rootKey: Secret.of(`${newKey.reveal()}\n${oldKey.reveal()}`) });
    const answer = await broker.call("POST", "/v1/root-key/rewrap");
    expect(answer.status).toBe(200);
    const { dataKeys, rewrapped } = answer.body as { dataKeys: number; rewrapped: number };
    expect(rewrapped).toBe(dataKeys);
    await broker.restart({ rootKey: newKey });
    expect(await broker.readEnv(id)).toEqual(before);
    expect(await broker.running().deps.store.read.leases.listByBuild(id)).toEqual(lease);
    const again = await broker.call("POST", "/v1/root-key/rewrap");
    expect(again.body).toMatchObject({ rewrapped: 0 });
  });

  it("that does not fit the store keeps the broker from starting, with a sentence", async () => {
    const good = broker.config.rootKey;
    await expect(broker.restart({ rootKey: createRootKey(randomBytes).line })).rejects.toThrow(/root key/i);
    const { startBroker } = await import("./start-broker.ts");
    const second = await startBroker({ ...broker.config, rootKey: good, port: 0 });
    // Tests alone wait less than the broker does.
    expect(second.deps.pace).toBe(1);
    await second.stop();
    await expect(startBroker({ ...broker.config, rootKey: Secret.of("short") })).rejects.toThrow(
      /root-key create/,
    );
  });
});

describe("health", () => {
  it("names the part that fails when a root key is missing", async () => {
    const other = await createTestBroker({ emulators: [] });
    try {
      const { store } = other.running().deps;
      const row = (await store.read.dataKeys.listOtherThan("none", "", 1))[0] ?? expect.fail();
      await store.write([], (tables) => tables.dataKeys.rewrap({ ...row, kid: "rk-lost" }, row));
      const answer = await other.call("GET", "/health/ready", { token: null });
      expect(answer.status).toBe(503);
      expect(answer.body).toMatchObject({
        status: "failing",
        parts: expect.arrayContaining([{ name: "keyring", ok: false, message: expect.any(String) }]),
      });
      expect((await other.call("GET", "/health/live", { token: null })).status).toBe(200);
    } finally {
      await other.close();
    }
  });

  it("gives measures to the admin alone", async () => {
    const other = await createTestBroker({ emulators: [] });
    try {
      await other.createBuild({ connectors: ["app-secrets"] });
      const answer = await other.call("GET", "/metrics");
      expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
      expect(answer.text).toMatch(/^keyloan_builds\{state="ready"\} 1$/m);
      expect(answer.text).toMatch(/^keyloan_leases\{connector="app-secrets",state="active"\} 1$/m);
      expect(answer.text).toContain('route="/v1/builds"');
      const refused = await other.call("GET", "/metrics", { token: null });
      expect((refused.body as ErrorEnvelope).error.code).toBe("unauthenticated");
    } finally {
      await other.close();
    }
  });
});
