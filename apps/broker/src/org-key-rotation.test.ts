import { connectors as allConnectors } from "@keyloan/connectors";
import type { AuditList, Connector, OrgKeyList, OrgKeyView, ValidationResult } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningBroker, startBroker } from "./start-broker.ts";
import { createTestBroker, type TestBroker, type TestBrokerOptions } from "./testing/create-test-broker.ts";
import { answers } from "./testing/open-connections.ts";
import { startReceiver } from "./testing/start-receiver.ts";
import { type TursoTokens, tursoTokens } from "./testing/turso-tokens.ts";
import { remindOfOldKeys, sweepReplacedKeys } from "./verbs/org-keys/sweep-org-keys.ts";
import { claimJobs } from "./worker.ts";

let broker: TestBroker;
let tokens: TursoTokens;
let others: RunningBroker[];

const open = async (options: TestBrokerOptions) => {
  broker = await createTestBroker(options);
  others = [];
};
afterEach(async () => {
  for (const other of others) await other.stop();
  await broker.close();
});

const put = async (connector: string, fields: Readonly<Record<string, string>>) => {
  const answer = await broker.call("PUT", `/v1/org-keys/${connector}`, { body: { fields } });
  expect(answer.status, answer.text).toBe(200);
};
const versions = async (connector: string): Promise<OrgKeyView[]> => {
  const { orgKeys } = (await broker.call("GET", "/v1/org-keys")).body as OrgKeyList;
  return orgKeys.filter((key) => key.connector === connector);
};
const version = async (connector: string, wanted: number) =>
  (await versions(connector)).find((key) => key.version === wanted) ?? expect.fail();
const retire = async (connector: string, end = false) =>
  broker.call("POST", `/v1/org-keys/${connector}/retire`, { body: { end } });
const leaseOf = async (buildId: string) =>
  (await broker.running().deps.store.read.leases.listByBuild(buildId))[0] ?? expect.fail();
const work = () => claimJobs(broker.running().deps);
const patiently = { timeout: 15_000 };
const actions = async (query: string) =>
  ((await broker.call("GET", `/v1/audit?${query}`)).body as AuditList).events;
const jobsOf = (entityId: string) => broker.running().deps.store.read.jobs.listByEntity(entityId);

describe("a new key of the same account", () => {
  beforeEach(async () => {
    await open({ emulators: ["turso"] });
    tokens = tursoTokens(broker.emulators.get("turso") ?? expect.fail());
  });

  test("takes over what was lent, and the old one is retired when the provider refuses it", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const before = await broker.readEnv(id);
    await put("turso", second);
    await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    const after = await broker.readEnv(id);
    expect(after.TURSO_DATABASE_URL).toBe(before.TURSO_DATABASE_URL);
    expect(after.TURSO_AUTH_TOKEN).not.toBe(before.TURSO_AUTH_TOKEN);
    expect(await answers(after)).toBe(200);
    expect(await version("turso", 1)).toMatchObject({ state: "retiring", leasesInUse: 0, flagged: 0 });
    await expect
      .poll(async () => (await version("turso", 1)).todo, patiently)
      .toMatch(/still works.*Delete this key at the provider: https/);
    await tokens.end(first);
    const answer = await retire("turso");
    expect(answer.status).toBe(200);
    const dead = await version("turso", 1);
    expect(dead).toMatchObject({ state: "retired", provenDeadAt: expect.any(String) });
    const [row] = (
      await broker.running().deps.store.read.orgKeys.list(broker.running().deps.organizationId)
    ).filter((each) => each.version === 1);
    expect(row?.fields).toBe("");
    expect(await actions("action=org_key.retired")).toMatchObject([
      { entity: "turso", details: { version: 1, proof: "refused_by_provider" } },
    ]);
    expect(await actions("action=lease.reissued")).toMatchObject([
      { details: { before: 1, orgKeyVersion: 2 } },
    ]);
    // A build made with the erased version is ended with the newest.
    expect((await broker.call("DELETE", `/v1/builds/${id}`)).status).toBe(200);
    await expect.poll(async () => (await leaseOf(id)).state, patiently).toBe("released");
  });

  test("is not kept waiting by the leases: they are moved in the background, and by two brokers once each", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const builds = await Promise.all(
      Array.from({ length: 6 }, () => broker.createBuild({ connectors: ["turso"] })),
    );
    others.push(await startBroker({ ...broker.config, port: 0 }, { now: broker.now }));
    broker.emulators.get("turso")?.faults.add({ kind: "delay", ms: 100, path: /auth\/tokens$/ }, 6);
    await put("turso", second);
    for (const { id } of builds) {
      await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    }
    const moved = (await actions("action=lease.reissued&limit=50")).map(({ entity }) => entity);
    expect(moved.toSorted()).toEqual(builds.map(({ id }) => id).toSorted());
    for (const { id } of builds) expect(await answers(await broker.readEnv(id))).toBe(200);
  });

  test("goes on after the broker stopped in the middle, and nothing is left with the old one", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const builds = await Promise.all(
      Array.from({ length: 3 }, () => broker.createBuild({ connectors: ["turso"] })),
    );
    broker.emulators.get("turso")?.faults.add({ kind: "delay", ms: 400, path: /auth\/tokens$/ }, 3);
    await put("turso", second);
    await work();
    await broker.restart();
    broker.advance(120_000);
    for (const { id } of builds) {
      await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
      expect(await answers(await broker.readEnv(id))).toBe(200);
    }
  });

  test("a provider that is down keeps the leases on the old key, which nobody calls dead", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    await put("turso", second);
    await tokens.end(first);
    broker.emulators.get("turso")?.faults.add({ kind: "status", status: 503 }, 500);
    await work();
    await retire("turso");
    expect(await version("turso", 1)).toMatchObject({ state: "retiring" });
    expect((await broker.readEnv(id)).TURSO_AUTH_TOKEN).toBeDefined();
    broker.emulators.get("turso")?.faults.clear();
    broker.advance(3_600_000);
    await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    await expect.poll(async () => (await version("turso", 1)).state, patiently).toBe("retired");
  });

  test("a provider that refuses every key proves nothing", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    await put("turso", second);
    await expect.poll(async () => (await version("turso", 1)).todo, patiently).toMatch(/still works/);
    broker.emulators.get("turso")?.faults.add({ kind: "status", status: 401 }, 20);
    await retire("turso");
    expect(await version("turso", 1)).toMatchObject({ state: "retiring" });
  });

  test("a key that is put back needs no proof: what is in use must live on", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    await put("turso", second);
    await put("turso", first);
    await expect.poll(async () => (await version("turso", 1)).state, patiently).toBe("retired");
    expect(await version("turso", 1)).not.toHaveProperty("provenDeadAt");
    expect((await version("turso", 2)).state).toBe("retiring");
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    expect((await leaseOf(id)).orgKeyVersion).toBe(3);
  });

  const beginBuild = async (delayMs: number) => {
    broker.emulators.get("turso")?.faults.add({ kind: "delay", ms: delayMs, path: /auth\/tokens$/ });
    const body = { name: "x", connectors: ["turso"] };
    return ((await broker.call("POST", "/v1/builds?wait=0", { body })).body as { id: string }).id;
  };
  const sweep = () => sweepReplacedKeys(broker.running().deps, new AbortController().signal);

  test("a lease that was being made when the key changed is moved afterwards, and holds the old one back", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const id = await beginBuild(1_000);
    await put("turso", second);
    await retire("turso");
    expect(await version("turso", 1)).toMatchObject({ state: "retiring" });
    await expect.poll(async () => (await leaseOf(id)).state, patiently).toBe("active");
    await sweep();
    await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    await tokens.end(first);
    await sweep();
    broker.advance(3_600_000);
    await expect.poll(async () => (await version("turso", 1)).state, patiently).toBe("retired");
  });

  test("a lease whose key died while it was being made is made with the new one", async () => {
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const id = await beginBuild(1_000);
    await put("turso", second);
    await tokens.end(first);
    await expect.poll(async () => (await leaseOf(id)).state, patiently).toBe("active");
    expect((await leaseOf(id)).orgKeyVersion).toBe(2);
    await sweep();
    broker.advance(3_600_000);
    await expect.poll(async () => (await version("turso", 1)).state, patiently).toBe("retired");
  });

  test("a removed key is proved dead too, and ends what was lent with it meanwhile", async () => {
    const only = await tokens.create();
    await put("turso", only);
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    expect((await broker.call("DELETE", "/v1/org-keys/turso")).status).toBe(204);
    expect(await version("turso", 1)).toMatchObject({ state: "retiring", leasesInUse: 1 });
    await broker.call("DELETE", `/v1/builds/${id}`);
    await expect.poll(async () => (await leaseOf(id)).state, patiently).toBe("released");
    await retire("turso");
    expect((await version("turso", 1)).todo).toMatch(/still works/);
    await tokens.end(only);
    await retire("turso");
    expect(await version("turso", 1)).toMatchObject({ state: "retired", provenDeadAt: expect.any(String) });
  });

  test("the daily reminder of a key that still works, and the weekly one of an old key, arrive once each", async () => {
    const receiver = await startReceiver();
    try {
      await broker.restart({ notifyUrl: receiver.url, orgKeyMaxDays: 90 });
      const [first, second] = [await tokens.create(), await tokens.create()];
      await put("turso", first);
      await put("turso", second);
      const told = (type: string) => receiver.received.filter(({ body }) => body.type === type).length;
      await expect.poll(() => told("org_key.still_works"), patiently).toBe(1);
      await retire("turso");
      await work();
      expect(told("org_key.still_works")).toBe(1);
      broker.advance(25 * 3_600_000);
      await retire("turso");
      await expect.poll(() => told("org_key.still_works"), patiently).toBe(2);
      await remindOfOldKeys(broker.running().deps);
      expect(told("org_key.old")).toBe(0);
      broker.advance(90 * 24 * 3_600_000);
      await remindOfOldKeys(broker.running().deps);
      await remindOfOldKeys(broker.running().deps);
      await expect.poll(() => told("org_key.old"), patiently).toBe(1);
      broker.advance(8 * 24 * 3_600_000);
      await remindOfOldKeys(broker.running().deps);
      await expect.poll(() => told("org_key.old"), patiently).toBe(2);
    } finally {
      await receiver.close();
    }
  });

  test("ending a key at the provider is refused where the connector cannot", async () => {
    await put("turso", await tokens.create());
    const connector = allConnectors.find(({ spec }) => spec.id === "turso");
    const answer = await retire("turso", true);
    expect(answer.status).toBe(connector?.endOrgKey === undefined ? 409 : 200);
  });
});

describe("a storage key of two secrets", () => {
  type WithOrgKeys = { readonly createOrgKey: () => Promise<Record<string, string>> };
  const hasOrgKeys = (emulator: object): emulator is WithOrgKeys => "createOrgKey" in emulator;

  test("is ended at the provider by the broker itself, both halves, and what was lent goes on with the new one", async () => {
    await open({ emulators: ["r2"] });
    const r2 = broker.emulators.get("r2") ?? expect.fail();
    if (!hasOrgKeys(r2)) throw new Error("the stand-in makes no further keys");
    const [first, second] = [await r2.createOrgKey(), await r2.createOrgKey()];
    await put("r2", first);
    const { id } = await broker.createBuild({ connectors: ["r2"] });
    const before = await broker.readEnv(id);
    await put("r2", second);
    await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    expect((await broker.readEnv(id)).R2_PREFIX).toBe(before.R2_PREFIX);
    expect(await version("r2", 1)).toMatchObject({ state: "retiring", canEnd: true });
    const answer = await retire("r2", true);
    expect(answer.status, answer.text).toBe(200);
    await expect
      .poll(async () => {
        await retire("r2");
        return (await version("r2", 1)).state;
      }, patiently)
      .toBe("retired");
    expect(await version("r2", 1)).toMatchObject({ provenDeadAt: expect.any(String) });
    await broker.call("DELETE", `/v1/builds/${id}`);
    await expect.poll(async () => (await leaseOf(id)).state, patiently).toBe("released");
  });
});

describe("a new key of another account", () => {
  const dead = new Set<string>();
  /** Real connectors whose account and life the test decides. */
  const judged = (connector: Connector, secret: string): Connector => ({
    ...connector,
    validateOrgKey: async (context, fields): Promise<ValidationResult> => {
      const value = fields[secret]?.reveal() ?? "";
      if (dead.has(value)) {
        return { status: "invalid", envVar: secret, code: "rejected", message: "no", remedy: "-" };
      }
      const answer = await connector.validateOrgKey?.(context, fields);
      if (answer?.status !== "valid") return answer ?? expect.fail();
      return { ...answer, account: value };
    },
    endOrgKey: async (_context, fields) => void dead.add(fields[secret]?.reveal() ?? ""),
  });
  const real = (id: string) => allConnectors.find(({ spec }) => spec.id === id) ?? expect.fail();

  test("leaves the leases where they are, tells it, and lets them end with the old key", async () => {
    const receiver = await startReceiver();
    await open({
      emulators: ["turso"],
      connectors: [judged(real("turso"), "token")],
      config: { notifyUrl: receiver.url },
    });
    tokens = tursoTokens(broker.emulators.get("turso") ?? expect.fail());
    const [first, second] = [await tokens.create(), await tokens.create()];
    await put("turso", first);
    const { id } = await broker.createBuild({ connectors: ["turso"] });
    const before = await broker.readEnv(id);
    await put("turso", second);
    await expect
      .poll(async () => version("turso", 1), patiently)
      .toMatchObject({
        state: "retiring",
        leasesInUse: 1,
        flagged: 1,
        flags: [{ code: "other_account", leases: 1 }],
        todo: expect.stringMatching(/1 lease is using it/),
      });
    await expect
      .poll(() => receiver.received.map(({ body }) => body.type), patiently)
      .toContain("org_key.leases_flagged");
    expect(await broker.readEnv(id)).toEqual(before);
    expect((await leaseOf(id)).orgKeyVersion).toBe(1);
    const refused = await retire("turso", true);
    expect(refused.status).toBe(200);
    expect((await version("turso", 1)).state).toBe("retiring");
    await broker.call("DELETE", `/v1/builds/${id}`);
    await expect.poll(async () => (await leaseOf(id)).state, patiently).toBe("released");
    await retire("turso", true);
    expect((await version("turso", 1)).state).toBe("retired");
    expect((await actions("action=org_key.ended")).length).toBe(1);
    await receiver.close();
  });

  test("reaches every build that shares a key, whatever account it is of", async () => {
    await open({ emulators: ["clerk"], connectors: [judged(real("clerk"), "secretKey")] });
    const clerk = broker.emulators.get("clerk") ?? expect.fail();
    await broker.putOrgKeys("clerk");
    const { id } = await broker.createBuild({ connectors: ["clerk"] });
    const other = await clerk.createUserEnv({ mode: "test" });
    const fields = {
      secretKey: other.CLERK_SECRET_KEY ?? "",
      publishableKey: other.CLERK_PUBLISHABLE_KEY ?? "",
    };
    await put("clerk", fields);
    await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    expect(await broker.readEnv(id)).toMatchObject({ CLERK_SECRET_KEY: fields.secretKey });
    await retire("clerk", true);
    expect((await version("clerk", 1)).state).toBe("retired");
  });

  test("has what a shared key's lease owned in the old account ended with the old key", async () => {
    await open({ emulators: ["stripe"], connectors: [judged(real("stripe"), "secretKey")] });
    const stripe = broker.emulators.get("stripe") ?? expect.fail();
    await broker.putOrgKeys("stripe");
    const options = { prices: [{ name: "PRO", currency: "usd", unitAmount: 500 }] };
    const { id } = await broker.createBuild({ connectors: [{ id: "stripe", options }] });
    const { handle } = await leaseOf(id);
    const productOf = async (key: string) =>
      (await fetch(`${stripe.baseUrl}/v1/products/${handle.productId}`, {
        headers: { authorization: `Bearer ${key}` },
      }).then((response) => response.json())) as { active?: boolean };
    const other = await stripe.createUserEnv({ mode: "test" });
    const fields = {
      secretKey: other.STRIPE_SECRET_KEY ?? "",
      publishableKey: other.STRIPE_PUBLISHABLE_KEY ?? "",
    };
    expect((await productOf(stripe.orgFields.secretKey ?? "")).active).toBe(true);
    await put("stripe", fields);
    await expect.poll(async () => (await leaseOf(id)).orgKeyVersion, patiently).toBe(2);
    await expect
      .poll(async () => (await productOf(stripe.orgFields.secretKey ?? "")).active, patiently)
      .toBe(false);
    expect((await productOf(fields.secretKey)).active).toBe(true);
    expect((await broker.readEnv(id)).STRIPE_SECRET_KEY).toBe(fields.secretKey);
    const jobs = await jobsOf((await leaseOf(id)).id);
    await expect
      .poll(async () => (await jobsOf((await leaseOf(id)).id)).map(({ state }) => state), patiently)
      .not.toContain("waiting");
    expect(jobs.some(({ kind }) => kind === "rekey")).toBe(true);
  });
});
