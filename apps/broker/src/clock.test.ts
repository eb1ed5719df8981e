import { connectors as allConnectors } from "@keyloan/connectors";
import type { BuildView, Connector, JobList, LeaseView, RotationView, TransferList } from "@keyloan/contract";
import { afterEach, describe, expect, it } from "vitest";
import { claimJobs } from "./queue/claim-jobs.ts";
import { runDueWork } from "./schedule.ts";
import { createTestBroker, type TestBroker, type TestBrokerOptions } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { createMemoryConnectors, type MemoryConnectors } from "./testing/memory-connectors.ts";
import {
  callIn,
  createCode,
  openPage,
  openPageBy,
  type TestBrowser,
  type TestPage,
} from "./testing/open-page.ts";
import { savedBuild } from "./testing/saved-build.ts";
import { startReceiver } from "./testing/start-receiver.ts";

// What expires, and jobs that wait for their next try, are in the tests of expiry; schedules in those of the store.

const hourMs = 3_600_000;
const minuteMs = 60_000;
const patiently = { timeout: 15_000 };
let broker: TestBroker;
let close: () => Promise<void>;
afterEach(async () => {
  await broker.close();
  await close();
});

const open = async (options: TestBrokerOptions, alsoClose = async () => {}) => {
  broker = await createTestBroker(options);
  close = alsoClose;
  await broker.putOrgKeys();
};
const deps = () => broker.running().deps;
/** The clock is set back, which the background work notices within a second. */
const setBack = async () => {
  await claimJobs(deps());
  broker.advance(-hourMs);
  await claimJobs(deps());
};
const countOf = async (entity: string, action: string) =>
  (await deps().store.read.auditEvents.list({ entity, actions: [action], limit: 100 })).length;

describe("a clock that is set back an hour in the middle of", () => {
  const openMemory = async (change: (connectors: readonly Connector[]) => readonly Connector[]) => {
    const memory = createMemoryConnectors();
    await open({ emulators: [], connectors: change(memory.connectors) }, async () =>
      memory.databases.close(),
    );
    return memory;
  };

  it("a job that is held: it is done once, and nothing is made twice", async () => {
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const memory = await openMemory((connectors) =>
      connectors.map((each) => {
        const { database } = each;
        if (database === undefined) return each;
        const create: typeof database.create = async (...asked) => {
          reached.resolve();
          await go.promise;
          return database.create(...asked);
        };
        return { ...each, database: { ...database, create } };
      }),
    );
    const made = await broker.call("POST", "/v1/builds?wait=0", {
      body: { name: "x", connectors: ["memory-database"] },
    });
    const { id } = made.body as BuildView;
    await reached.promise;
    await setBack();
    go.resolve();
    await deps().runner.settled(id);
    await finishWork(deps(), id);
    expect(((await broker.call("GET", `/v1/builds/${id}`)).body as BuildView).state).toBe("ready");
    expect(memory.databases.names()).toEqual([(await broker.readEnv(id)).MEMORY_DATABASE_NAME]);
    expect(await countOf(id, "lease.issued")).toBe(1);
  });

  describe("a transfer", () => {
    let memory: MemoryConnectors;
    let page: TestPage;
    let lent: string;
    const path = "/v1/settings/transfer";
    // Not by the page: its visit ends with the hour that was not.
    const state = async () => {
      const shown = await broker.call("GET", `/v1/builds/${page.session.buildId}/transfers`);
      return (shown.body as TransferList).movable[0]?.transfer?.state;
    };
    const write = () => memory.write(lent, "INSERT INTO notes (text) VALUES ('later')");
    const move = async () => {
      memory = await openMemory((connectors) => connectors.slice(0, 1));
      const { id } = await broker.createBuild();
      lent = (await broker.readEnv(id)).MEMORY_DATABASE_NAME ?? "";
      memory.write(lent, "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
      memory.databases.add("own-database");
      page = await openPage(broker, id);
      const own = { MEMORY_DATABASE_NAME: "own-database", MEMORY_DATABASE_TOKEN: "own-database-token" };
      expect((await page.save("memory-database", own)).status).toBe(200);
      expect((await page.call("POST", path, {})).status).toBe(202);
      await expect.poll(state, patiently).toBe("copied");
      expect(write).toThrow("blocked");
    };

    it("that waits for the switch: the app writes again no later than it would have", async () => {
      await move();
      await setBack();
      expect(await state()).toBe("copied");
      broker.advance(31 * minuteMs);
      await expect.poll(state, patiently).toBe("failed");
      await expect.poll(() => memory.frozen.size, patiently).toBe(0);
      write();
    });

    it("that was switched: what was lent stays until the time to go back that was told", async () => {
      await move();
      const body = { expectedVersion: await page.version() };
      expect((await page.call("POST", "/v1/settings/swap", body)).status).toBe(200);
      await setBack();
      broker.advance(24.5 * hourMs);
      await finishWork(deps());
      expect(memory.databases.has(lent)).toBe(true);
      broker.advance(hourMs);
      await expect.poll(() => memory.databases.has(lent), patiently).toBe(false);
    });
  });

  describe("a rotation", () => {
    const turso = () => broker.emulators.get("turso") ?? expect.fail();
    const real = () => allConnectors.find(({ spec }) => spec.id === "turso") ?? expect.fail();
    const build = async () => {
      const made = await broker.createBuild({ connectors: ["turso"] });
      return { id: made.id, lease: (made.leases[0] as LeaseView).id };
    };
    const rotate = (lease: string, body = {}) =>
      broker.call("POST", `/v1/leases/${lease}/rotation`, { body });
    const stateOf = async (lease: string) =>
      ((await broker.call("GET", `/v1/leases/${lease}/rotation`)).body as RotationView).state;

    it("with an overlap: the cut comes no later than it would have, once", async () => {
      await open({ emulators: ["turso"] });
      const { id, lease } = await build();
      await rotate(lease, { overlapSeconds: 300 });
      await expect.poll(() => stateOf(lease), patiently).toBe("overlapping");
      const second = await broker.readEnv(id);
      await setBack();
      expect(await stateOf(lease)).toBe("overlapping");
      broker.advance(301_000);
      await expect.poll(() => stateOf(lease), patiently).toBe("done");
      expect((await broker.readEnv(id)).TURSO_AUTH_TOKEN).not.toBe(second.TURSO_AUTH_TOKEN);
      expect(await countOf(id, "lease.rotated")).toBe(1);
    });

    it("whose old credential lives on: a person is told after the same time", async () => {
      const living = new Set<string>();
      const connector = real();
      const validate: Connector["validate"] = async (context, values) =>
        living.has(values.TURSO_AUTH_TOKEN?.reveal() ?? "")
          ? { status: "valid", capabilities: [], warnings: [] }
          : connector.validate(context, values);
      await open({ emulators: ["turso"], connectors: [{ ...connector, validate }] });
      const { id, lease } = await build();
      living.add((await broker.readEnv(id)).TURSO_AUTH_TOKEN ?? "");
      await rotate(lease);
      await expect.poll(() => stateOf(lease), patiently).toBe("proving");
      await setBack();
      broker.advance(minuteMs);
      await finishWork(deps(), id);
      expect(await stateOf(lease)).toBe("proving");
      broker.advance(6 * minuteMs);
      await expect.poll(() => stateOf(lease), patiently).toBe("requires_action");
    });

    it("that requires manual action: nobody is told twice, and it is tried again no later", async () => {
      const receiver = await startReceiver();
      await open({ emulators: ["turso"], config: { notifyUrl: receiver.url } }, () => receiver.close());
      const told = () => [...new Map(receiver.received.map(({ body }) => [body.id, body.type])).values()];
      const remind = async () => {
        broker.advance(2 * minuteMs);
        await runDueWork(deps(), new AbortController().signal);
        await finishWork(deps());
      };
      const { lease } = await build();
      turso().faults.add({ kind: "status", status: 403, path: /auth\/rotate$/ }, 1_000);
      await rotate(lease);
      await expect.poll(() => stateOf(lease), patiently).toBe("requires_action");
      const job = async () => ((await broker.call("GET", "/v1/jobs?kind=rotate")).body as JobList).jobs[0];
      const { requiredAction } = (await job()) ?? expect.fail();
      broker.advance(12 * hourMs);
      await remind();
      await expect.poll(told, patiently).toEqual(["job.requires_action", "job.reminder"]);
      await setBack();
      await remind();
      broker.advance(hourMs);
      await remind();
      expect(told()).toEqual(["job.requires_action", "job.reminder"]);
      expect((await job())?.requiredAction?.dueAt).toBe(requiredAction?.dueAt);
      await setBack();
      turso().faults.clear();
      broker.advance(hourMs);
      await expect.poll(() => stateOf(lease), patiently).toBe("done");
    });
  });
});

describe("a clock that was a month ahead, and is set right,", () => {
  const monthMs = 30 * 24 * hourMs;

  it("lets nothing live longer that was given an end then, and takes nothing else", async () => {
    await open({ emulators: [] });
    broker.advance(monthMs);
    const { id, page, recovery } = await savedBuild(broker);
    const former = new Map([["keyloan_person", page.browser.get("keyloan_person") ?? ""]]);
    await openPageBy(broker, { recovery }, page.browser);
    const buildToken = await broker.createBuildToken(id, { ttlSeconds: 3600 });
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
    const code = await createCode(broker, id);
    broker.advance(-monthMs);
    const enter = (browser: TestBrowser, body: Record<string, string>) =>
      callIn(broker, browser, "POST", "/v1/session", { body });
    const read = (path: string, token: string) => broker.call("GET", `/v1/builds/${id}${path}`, { token });
    const answers = [
      await page.call("GET", "/v1/settings"),
      await read("/env", buildToken),
      await enter(new Map(), { code }),
      await enter(former, { buildId: id }),
      await read("", (made.body as { token: string }).token),
      await enter(page.browser, { buildId: id }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 200, 201]);
  });

  it("keeps nobody from starting over, nor the person from refusing it", async () => {
    await open({ emulators: [] });
    const { id, page } = await savedBuild(broker);
    const path = "/v1/settings/start-over";
    const ask = async () => (await openPage(broker, id)).call("POST", path);
    broker.advance(monthMs);
    const seen = await openPageBy(broker, { buildId: id }, page.browser);
    await seen.save("app-secrets", {});
    await ask();
    expect((await seen.call("DELETE", path)).status).toBe(200);
    expect((await ask()).status).toBe(409);
    broker.advance(-monthMs);
    expect((await ask()).status).toBe(200);
    const again = await openPageBy(broker, { buildId: id }, page.browser);
    expect((await again.call("DELETE", path)).status).toBe(200);
  });
});
