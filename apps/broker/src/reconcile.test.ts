import { connectors as allConnectors } from "@keyloan/connectors";
import type {
  AuditList,
  BuildView,
  Connector,
  DatabaseDriver,
  Finding,
  ListedResource,
  ReconcileReport,
} from "@keyloan/contract";
import { afterEach, describe, expect, test } from "vitest";
import { runDueWork } from "./schedule.ts";
import { startBroker } from "./start-broker.ts";
import { createTestBroker, type TestBroker, type TestBrokerOptions } from "./testing/create-test-broker.ts";
import { startReceiver } from "./testing/start-receiver.ts";

let broker: TestBroker;
afterEach(() => broker.close());

const minutes = (count: number) => count * 60_000;
const open = async (options: TestBrokerOptions = {}) => {
  broker = await createTestBroker({ emulators: ["turso"], ...options });
  await broker.putOrgKeys();
};
const reconcile = async (body: Record<string, unknown> = {}): Promise<ReconcileReport> => {
  const answer = await broker.call("POST", "/v1/reconcile", { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.body as ReconcileReport;
};
const findings = (report: ReconcileReport): readonly Finding[] =>
  report.connectors.flatMap((connector) => connector.findings);
const turso = () => broker.emulators.get("turso") ?? expect.fail();
const api = (method: string, path: string, body?: unknown) => {
  const { organization, token } = turso().orgFields;
  return fetch(`${turso().baseUrl}/v1/organizations/${organization}/databases${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
};
const create = async (name: string) => {
  expect((await api("POST", "", { name, group: turso().orgFields.group })).status).toBe(200);
};
const exists = async (name: string) => (await api("GET", `/${name}`)).status === 200;
const build = async (connector = "turso") => {
  const made: BuildView = await broker.createBuild({ connectors: [connector] });
  const lease = made.leases[0] ?? expect.fail();
  return { id: made.id, lease: lease.id, name: Object.values(lease.resource)[0] ?? "" };
};
const closeBuild = async (id: string) => {
  await broker.call("DELETE", `/v1/builds/${id}`);
  await expect
    .poll(async () => ((await broker.call("GET", `/v1/builds/${id}`)).body as BuildView).state, {
      timeout: 10_000,
    })
    .toBe("closed");
};
const actions = async () =>
  ((await broker.call("GET", "/v1/audit?limit=100")).body as AuditList).events.map(({ action }) => action);

const foreignUnknown = `kl-${"0".repeat(20)}`;

describe("what the provider holds", () => {
  test("of leases that have ended is ended, of live ones and foreign ones it is left alone", async () => {
    await open();
    const [live, over] = [await build(), await build()];
    await closeBuild(over.id);
    await create(over.name);
    await create("somebody-elses");
    broker.advance(minutes(6));
    const dry = await reconcile({ dryRun: true });
    expect(findings(dry)).toMatchObject([
      { kind: "left_over", action: "told", name: over.name, lease: over.lease, build: over.id },
    ]);
    expect([dry.needsPerson, await exists(over.name)]).toEqual([false, true]);
    const report = await reconcile();
    expect(findings(report)).toMatchObject([{ kind: "left_over", action: "ended", name: over.name }]);
    expect(report).toMatchObject({ needsPerson: false, connectors: [{ state: "compared", listed: 2 }] });
    expect([await exists(over.name), await exists(live.name), await exists("somebody-elses")]).toEqual([
      false,
      true,
      true,
    ]);
    expect(JSON.stringify(report)).not.toContain("somebody-elses");
    expect(await actions()).toEqual(expect.arrayContaining(["reconcile.ended", "reconcile.compared"]));
    expect((await broker.call("GET", "/metrics")).text).toMatch(
      /^keyloan_reconcile_ended_total\{connector="turso"\} 1$/m,
    );
    expect(findings(await reconcile())).toEqual([]);
  });

  test("and was just ended is no finding: lists lag", async () => {
    await open();
    const over = await build();
    await closeBuild(over.id);
    await create(over.name);
    expect(findings(await reconcile())).toEqual([]);
    expect(await exists(over.name)).toBe(true);
  });

  test("is only told where the policy says so", async () => {
    await open({ config: { reconcilePolicy: "report" } });
    const over = await build();
    await closeBuild(over.id);
    await create(over.name);
    broker.advance(minutes(6));
    const report = await reconcile();
    expect(findings(report)).toMatchObject([{ kind: "left_over", action: "told" }]);
    expect([report.needsPerson, await exists(over.name)]).toEqual([true, true]);
  });

  test("and cannot be ended is told as such, and tried again", async () => {
    await open({ config: { issueDeadlineSeconds: 1 } });
    const over = await build();
    await closeBuild(over.id);
    await create(over.name);
    broker.advance(minutes(6));
    turso().faults.add({ kind: "status", status: 403, method: "DELETE" });
    const report = await reconcile();
    expect(findings(report)).toMatchObject([
      { kind: "left_over", action: "failed", remedy: expect.any(String) },
    ]);
    expect(report.needsPerson).toBe(true);
    expect(findings(await reconcile())).toMatchObject([{ action: "ended" }]);
  });

  test("named as ours though no row knows it is never touched, and ended only by name", async () => {
    const receiver = await startReceiver();
    await open({ config: { notifyUrl: receiver.url } });
    const live = await build();
    await create(foreignUnknown);
    const report = await reconcile();
    expect(findings(report)).toMatchObject([{ kind: "unknown", action: "told", name: foreignUnknown }]);
    expect(report.needsPerson).toBe(true);
    await reconcile();
    expect(await exists(foreignUnknown)).toBe(true);
    await expect
      .poll(() => receiver.received.filter(({ body }) => body.type === "reconcile.findings").length, {
        timeout: 10_000,
      })
      .toBe(1);
    const end = (name: string) =>
      broker.call("POST", "/v1/reconcile/end-unknown", { body: { connector: "turso", name } });
    expect((await end(live.name)).status).toBe(409);
    expect((await end("somebody-elses")).status).toBe(404);
    const ended = await end(foreignUnknown);
    expect(ended.body).toMatchObject({ kind: "unknown", action: "ended" });
    expect([await exists(foreignUnknown), await exists(live.name)]).toEqual([false, true]);
    await receiver.close();
  });
});

describe("a lease whose resource is gone", () => {
  test("shows it and a person is told; when it is there again the lease is well again", async () => {
    await open();
    const [lost, well] = [await build(), await build()];
    await api("DELETE", `/${lost.name}`);
    expect(findings(await reconcile())).toEqual([]);
    broker.advance(minutes(6));
    const report = await reconcile();
    expect(findings(report)).toMatchObject([{ kind: "missing", action: "marked", lease: lost.lease }]);
    expect(report.needsPerson).toBe(true);
    const errorOf = async (id: string) =>
      ((await broker.call("GET", `/v1/builds/${id}`)).body as BuildView).leases[0]?.error?.code;
    expect([await errorOf(lost.id), await errorOf(well.id)]).toEqual(["resource_missing", undefined]);
    await create(lost.name);
    expect(findings(await reconcile())).toEqual([]);
    expect(await errorOf(lost.id)).toBeUndefined();
  });

  test("with most of the others gone too, the provider is not believed, and nothing is marked", async () => {
    await open();
    const builds = [await build(), await build(), await build(), await build()];
    for (const { name } of builds.slice(0, 3)) await api("DELETE", `/${name}`);
    const over = await build();
    await closeBuild(over.id);
    await create(over.name);
    broker.advance(minutes(6));
    const report = await reconcile();
    expect(report.connectors).toMatchObject([
      { state: "stopped", message: expect.stringContaining("3 of 4") },
    ]);
    expect(findings(report).map(({ action }) => action)).not.toContain("marked");
    expect(await exists(over.name)).toBe(true);
  });
});

describe("a list that lies", () => {
  const lying = (list: DatabaseDriver["list"]): readonly Connector[] =>
    allConnectors.map((connector) =>
      connector.spec.id === "turso" && connector.database !== undefined
        ? { ...connector, database: { ...connector.database, ...(list === undefined ? {} : { list }) } }
        : connector,
    );
  const resource = (number: number): ListedResource => {
    const suffix = String(number).padStart(20, "0");
    return { suffix, handle: { database: `kl-${suffix}` }, name: `kl-${suffix}` };
  };

  test("by being empty is found out by asking for each, and nothing happens", async () => {
    await open({ connectors: lying(async function* () {}) });
    const builds = [await build(), await build()];
    broker.advance(minutes(6));
    const report = await reconcile();
    expect(report.connectors).toMatchObject([
      { state: "stopped", message: expect.stringContaining("does not list 2"), findings: [] },
    ]);
    expect(report.needsPerson).toBe(true);
    for (const { id } of builds) {
      const view = (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
      expect(view.leases[0]?.error).toBeUndefined();
    }
  });

  test.each([
    [
      "by repeating itself for ever",
      async function* () {
        for (;;) yield resource(1);
      },
    ],
    [
      "by never ending",
      async function* () {
        for (let number = 0; ; number++) yield resource(number);
      },
    ],
  ])("%s is given up with a report, and nothing is ended", async (_how, list) => {
    await open({ connectors: lying(list) });
    const over = await build();
    await closeBuild(over.id);
    await create(over.name);
    broker.advance(minutes(6));
    const report = await reconcile();
    expect(report.connectors).toMatchObject([
      { state: "failed", message: expect.stringContaining("list that does not end"), findings: [] },
    ]);
    expect(await exists(over.name)).toBe(true);
  });

  test("by failing is reported, with what to do", async () => {
    await open();
    turso().faults.add({ kind: "status", status: 500 }, 50);
    const report = await reconcile();
    turso().faults.clear();
    expect(report.connectors).toMatchObject([{ state: "failed", remedy: expect.any(String) }]);
  });
});

describe("reconciling", () => {
  test("of a connector that cannot be listed, is not known or has no key is refused", async () => {
    await open();
    const codeOf = async (connector: string) =>
      (await broker.call("POST", "/v1/reconcile", { body: { connector } })).status;
    expect(await codeOf("clerk")).toBe(409);
    expect(await codeOf("nobody")).toBe(422);
    expect(await codeOf("r2")).toBe(409);
  });

  test("of storage ends what a closed build left, and leaves live ones", async () => {
    await open({ emulators: ["r2"] });
    const [live, over] = [await build("r2"), await build("r2")];
    const writes = async (id: string) => broker.readEnv(id);
    expect(await writes(live.id)).toBeDefined();
    await closeBuild(over.id);
    broker.advance(minutes(6));
    const report = await reconcile();
    expect(report.connectors).toMatchObject([{ connector: "r2", state: "compared" }]);
    expect(findings(report).map(({ build: id }) => id)).not.toContain(live.id);
    expect((await writes(live.id)).R2_SECRET_ACCESS_KEY).toBeDefined();
  });

  test("is done by one of two brokers when it is due", async () => {
    await open({ config: { reconcileHours: 1 } });
    const other = await startBroker({ ...broker.config, port: 0 }, { now: broker.now });
    const signal = new AbortController().signal;
    const count = async () => (await actions()).filter((action) => action === "reconcile.compared").length;
    await Promise.all([runDueWork(broker.running().deps, signal), runDueWork(other.deps, signal)]);
    expect(await count()).toBe(1);
    broker.advance(minutes(61));
    await Promise.all([runDueWork(broker.running().deps, signal), runDueWork(other.deps, signal)]);
    expect(await count()).toBe(2);
    await other.stop();
  });
});
