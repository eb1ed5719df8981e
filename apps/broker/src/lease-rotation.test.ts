import { connectors as allConnectors } from "@keyloan/connectors";
import type { AuditList, Connector, ErrorEnvelope, LeaseView, RotationView } from "@keyloan/contract";
import { afterEach, describe, expect, test } from "vitest";
import { createTestBroker, type TestBroker, type TestBrokerOptions } from "./testing/create-test-broker.ts";
import { answers } from "./testing/open-connections.ts";
import { startReceiver } from "./testing/start-receiver.ts";

let broker: TestBroker;
afterEach(() => broker.close());

const open = async (options: TestBrokerOptions) => {
  broker = await createTestBroker(options);
  await broker.putOrgKeys();
};
const build = async (...connectors: string[]) => {
  const made = await broker.createBuild({ connectors });
  return { id: made.id, lease: made.leases[0] as LeaseView };
};
const rotate = (leaseId: string, body: Record<string, unknown> = {}) =>
  broker.call("POST", `/v1/leases/${leaseId}/rotation`, { body });
const show = async (leaseId: string) =>
  (await broker.call("GET", `/v1/leases/${leaseId}/rotation`)).body as RotationView;
const jobs = (leaseId: string) => broker.running().deps.store.read.jobs.listByEntity(leaseId);
const patiently = { timeout: 15_000 };
const stateOf = async (leaseId: string) => (await show(leaseId)).state;
const turso = () => broker.emulators.get("turso") ?? expect.fail();
const real = (id: string) => allConnectors.find(({ spec }) => spec.id === id) ?? expect.fail();

describe("without an overlap", () => {
  test("every old token is dead, proven, and the env has one that works", async () => {
    await open({ emulators: ["turso"] });
    const { id, lease } = await build("turso");
    const first = await broker.readEnv(id);
    const answer = await rotate(lease.id, { reason: "leak" });
    expect(answer.status, answer.text).toBe(202);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    expect(await show(lease.id)).toMatchObject({
      provenDead: true,
      cutAt: expect.any(String),
      next: expect.stringMatching(/fetch the env again/),
    });
    const second = await broker.readEnv(id);
    expect([await answers(first), await answers(second)]).toEqual([401, 200]);
    const { events } = (await broker.call("GET", `/v1/audit?entity=${id}&limit=50`)).body as AuditList;
    expect(events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["lease.rotation_started", "lease.rotated", "lease.credentials_dead"]),
    );
    const kept = JSON.stringify((await jobs(lease.id)).find(({ kind }) => kind === "rotate"));
    expect(kept).toContain('"old":[]');
    expect(broker.logs.join("\n")).not.toContain(first.TURSO_AUTH_TOKEN);
  });

  test("a broker that stops between the cut and its record cuts again, and the env works", async () => {
    await open({ emulators: ["turso"] });
    const { id, lease } = await build("turso");
    const first = await broker.readEnv(id);
    turso().faults.add({ kind: "delay", ms: 600, path: /auth\/tokens$/ });
    await rotate(lease.id);
    await broker.restart();
    broker.advance(120_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    expect([await answers(first), await answers(await broker.readEnv(id))]).toEqual([401, 200]);
  });

  test("a provider that fails for a while is waited for", async () => {
    await open({ emulators: ["turso"], config: { issueDeadlineSeconds: 1 } });
    const { id, lease } = await build("turso");
    turso().faults.add({ kind: "status", status: 503, path: /auth\/rotate$/ }, 6);
    await rotate(lease.id);
    await expect
      .poll(async () => (await jobs(lease.id)).some(({ lastError }) => lastError !== null), patiently)
      .toBe(true);
    expect(await answers(await broker.readEnv(id))).toBe(200);
    turso().faults.clear();
    broker.advance(120_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
  });

  test("a provider that refuses it asks for a person, and says so", async () => {
    const receiver = await startReceiver();
    await open({ emulators: ["turso"], config: { notifyUrl: receiver.url } });
    const { lease } = await build("turso");
    turso().faults.add({ kind: "status", status: 403, path: /auth\/rotate$/ });
    await rotate(lease.id);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("requires_action");
    await expect
      .poll(() => receiver.received.map(({ body }) => body.type), patiently)
      .toContain("job.requires_action");
    broker.advance(3_700_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    await receiver.close();
  });

  test("values that no provider knows are made anew, and nothing is claimed of their death", async () => {
    await open({ emulators: [] });
    const { id, lease } = await build("app-secrets");
    const first = await broker.readEnv(id);
    await rotate(lease.id);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    expect((await broker.readEnv(id)).JWT_SECRET).not.toBe(first.JWT_SECRET);
    expect(await show(lease.id)).toMatchObject({ provenDead: false });
  });

  test("storage credentials of the lease are replaced and proved dead too", async () => {
    await open({ emulators: ["r2"] });
    const { id, lease } = await build("r2");
    const first = await broker.readEnv(id);
    await rotate(lease.id);
    await expect
      .poll(async () => {
        broker.advance(5_000);
        return stateOf(lease.id);
      }, patiently)
      .toBe("done");
    expect((await show(lease.id)).provenDead).toBe(true);
    expect((await broker.readEnv(id)).R2_SECRET_ACCESS_KEY).not.toBe(first.R2_SECRET_ACCESS_KEY);
  });
});

describe("with an overlap", () => {
  test("both tokens work until the cut, then neither does and the third is served", async () => {
    await open({ emulators: ["turso"] });
    const { id, lease } = await build("turso");
    const first = await broker.readEnv(id);
    await rotate(lease.id, { overlapSeconds: 300 });
    await expect.poll(() => stateOf(lease.id), patiently).toBe("overlapping");
    const second = await broker.readEnv(id);
    expect(second.TURSO_AUTH_TOKEN).not.toBe(first.TURSO_AUTH_TOKEN);
    expect([await answers(first), await answers(second)]).toEqual([200, 200]);
    expect((await show(lease.id)).next).toMatch(/fetch the env again after that/);
    await broker.restart();
    broker.advance(301_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    const third = await broker.readEnv(id);
    expect([await answers(first), await answers(second), await answers(third)]).toEqual([401, 401, 200]);
    expect((await show(lease.id)).provenDead).toBe(true);
  });

  test("a leak during the overlap brings the cut forward, and all of them are proved dead", async () => {
    await open({ emulators: ["turso"] });
    const { id, lease } = await build("turso");
    const first = await broker.readEnv(id);
    await rotate(lease.id, { overlapSeconds: 3_600 });
    await expect.poll(() => stateOf(lease.id), patiently).toBe("overlapping");
    const second = await broker.readEnv(id);
    await expect.poll(async () => (await rotate(lease.id, { reason: "leak" })).status, patiently).toBe(202);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    expect([await answers(first), await answers(second), await answers(await broker.readEnv(id))]).toEqual([
      401, 401, 200,
    ]);
    const rotations = (await jobs(lease.id)).filter(({ kind }) => kind === "rotate");
    expect(rotations.map(({ state }) => state).toSorted()).toEqual(["cancelled", "done"]);
    expect(JSON.stringify(rotations)).not.toMatch(/"old":\["/);
  });

  test("a build that ends meanwhile takes every token with it", async () => {
    await open({ emulators: ["turso"] });
    const { id, lease } = await build("turso");
    await rotate(lease.id, { overlapSeconds: 60 });
    await expect.poll(() => stateOf(lease.id), patiently).toBe("overlapping");
    const second = await broker.readEnv(id);
    await broker.call("DELETE", `/v1/builds/${id}`);
    expect(await answers(second).catch(() => "gone")).not.toBe(200);
    broker.advance(61_000);
    await expect.poll(() => stateOf(lease.id), patiently).toMatch(/ended|cancelled/);
  });
});

describe("an old credential that lives on", () => {
  test("is asked about for a while, then a person is told; and when it dies that is seen", async () => {
    const living = new Set<string>();
    const real_ = real("turso");
    const forgiving: Connector = {
      ...real_,
      validate: async (context, values) =>
        living.has(values.TURSO_AUTH_TOKEN?.reveal() ?? "")
          ? { status: "valid", capabilities: [], warnings: [] }
          : real_.validate(context, values),
    };
    await open({ emulators: ["turso"], connectors: [forgiving] });
    const { id, lease } = await build("turso");
    living.add((await broker.readEnv(id)).TURSO_AUTH_TOKEN ?? "");
    await rotate(lease.id);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("proving");
    broker.advance(6 * 60_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("requires_action");
    expect((await show(lease.id)).provenDead).toBe(false);
    living.clear();
    broker.advance(3_700_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
    expect((await show(lease.id)).provenDead).toBe(true);
  });

  test("is not called dead because the provider is down", async () => {
    let isDown = false;
    const real_ = real("turso");
    const silent: Connector = {
      ...real_,
      validate: async (context, values) =>
        isDown
          ? { status: "undetermined", code: "provider_down", message: "down" }
          : real_.validate(context, values),
    };
    await open({ emulators: ["turso"], connectors: [silent] });
    const { lease } = await build("turso");
    isDown = true;
    await rotate(lease.id);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("proving");
    broker.advance(10 * 60_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("proving");
    isDown = false;
    broker.advance(10 * 60_000);
    await expect.poll(() => stateOf(lease.id), patiently).toBe("done");
  });
});

describe("what cannot be replaced is refused with the way out:", () => {
  const codeOf = async (answer: Promise<{ status: number; body: unknown }>) => {
    const { status, body } = await answer;
    const { code, remedy } = (body as ErrorEnvelope).error;
    return [status, code, remedy] as const;
  };

  test("a shared key, an unknown lease, a lease that has ended, one that is at work", async () => {
    await open({ emulators: ["clerk", "turso"] });
    const shared = await build("clerk");
    expect(await codeOf(rotate(shared.lease.id))).toEqual([
      409,
      "not_supported",
      expect.stringContaining("keyloan org-keys rotate clerk"),
    ]);
    expect((await codeOf(rotate("lse_00000000000000000000"))).slice(0, 2)).toEqual([404, "not_found"]);
    const own = await build("turso");
    turso().faults.add({ kind: "delay", ms: 700, path: /auth\/rotate$/ });
    await rotate(own.lease.id);
    expect((await codeOf(rotate(own.lease.id))).slice(0, 2)).toEqual([409, "already_running"]);
    await expect.poll(() => stateOf(own.lease.id), patiently).toBe("done");
    expect((await rotate(own.lease.id, { overlapSeconds: 90_000 })).status).toBe(422);
    await broker.call("DELETE", `/v1/builds/${own.id}`);
    expect((await codeOf(rotate(own.lease.id))).slice(0, 2)).toEqual([409, "not_ready"]);
  });
});
