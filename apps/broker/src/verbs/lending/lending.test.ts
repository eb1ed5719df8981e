import type { AuditList, BuildView, ErrorEnvelope, SettingsView } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Answer, TestBroker } from "../../testing/create-test-broker.ts";
import { finishWork } from "../../testing/finish-work.ts";
import {
  createMemoryBroker,
  emptyOwn,
  type MemoryBroker,
  ownValues,
  saveOwn,
} from "../../testing/memory-broker.ts";
import type { MemoryConnectors } from "../../testing/memory-connectors.ts";
import { openPage, type TestPage } from "../../testing/open-page.ts";
import { createStoreWriter } from "../../testing/store-writer.ts";
import { sweepExpired } from "../builds/sweep-expired.ts";
import { endDueLendings } from "./end-lending.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const { signal } = new AbortController();
const ownTokens = ["own-database-token", "own-files-token"];

let memory: MemoryConnectors;
let broker: TestBroker;
let close: MemoryBroker["close"];
let page: TestPage;
let buildId: string;
let workload: string;
let lent: Record<string, string>;

beforeAll(async () => {
  ({ memory, broker, close } = await createMemoryBroker());
});
afterAll(() => close());
beforeEach(async () => {
  emptyOwn(memory);
  buildId = (await broker.createBuild()).id;
  lent = await broker.readEnv(buildId);
  workload = await broker.createBuildToken(buildId);
  page = await openPage(broker, buildId);
  await saveOwn(page);
});

const deps = () => broker.running().deps;
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;
const readEnv = (token = broker.adminToken) => broker.call("GET", `/v1/builds/${buildId}/env`, { token });
const show = async () => (await broker.call("GET", `/v1/builds/${buildId}`)).body as BuildView;
const swap = async (body: Record<string, unknown> = {}): Promise<Answer> => {
  const preview = { "memory-database": true, "memory-files": true };
  const answer = await page.call("POST", "/v1/settings/swap", {
    preview,
    ...body,
    expectedVersion: await page.version(),
  });
  expect([answer.status, answer.status === 200 ? "" : answer.text]).toEqual([200, ""]);
  return answer;
};
const download = () => page.call("GET", "/v1/settings/env-file");
/** Recurring background work, as if it were the next minute. */
const goOn = async (ms: number) => {
  broker.advance(ms);
  await sweepExpired(deps());
  await endDueLendings(deps(), signal);
  await finishWork(deps(), buildId);
};
const stateOf = async () => {
  const { state, leases, lendingEndedAt } = await show();
  return { state, leases: leases.map((lease) => lease.state), ended: lendingEndedAt !== undefined };
};
const actions = async () => {
  const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&limit=200`)).body as AuditList;
  return events.map(({ action }) => action);
};

describe("a build whose user switched everything and never finished", () => {
  it.each([3, 30, 89])("lends nothing and tells nobody their keys after %i days", async (days) => {
    await swap();
    expect((await readEnv(workload)).text).toContain("own-database-token");
    await goOn(days * dayMs);
    expect(await stateOf()).toEqual({ state: "handing_off", leases: ["released", "released"], ended: true });
    expect(memory.databases.has(lent.MEMORY_DATABASE_NAME ?? "")).toBe(false);
    const answers = [
      await readEnv(),
      await broker.call("POST", `/v1/builds/${buildId}/tokens`, { body: {} }),
      await broker.call("POST", `/v1/builds/${buildId}/renew`, { body: {} }),
    ];
    for (const answer of answers) {
      expect([answer.status, error(answer).code]).toEqual([409, "build_closed"]);
      expect(error(answer).remedy).toContain("settings page");
      expect(ownTokens.filter((token) => answer.text.includes(token))).toEqual([]);
    }
    expect((await readEnv(workload)).status).toBe(401);
    page = await openPage(broker, buildId, page.browser);
    const file = await download();
    expect([file.status, ownTokens.every((token) => file.text.includes(token))]).toEqual([200, true]);
    expect((await actions()).filter((action) => action === "lending.ended")).toHaveLength(1);
  });

  it("is closed at the end of its longest life, as before", async () => {
    await swap();
    await goOn(3 * dayMs);
    await goOn(88 * dayMs);
    expect(await stateOf()).toMatchObject({ state: "closed" });
  });

  it("lends until the time to go back is over, and not a moment less", async () => {
    await swap();
    await goOn(23 * hourMs);
    expect(await stateOf()).toEqual({ state: "handing_off", leases: ["active", "active"], ended: false });
    page = await openPage(broker, buildId, page.browser);
    const { lendingEndsAt, revertibleUntil, lendingEndedAt } = await page.settings();
    expect([lendingEndsAt, lendingEndedAt]).toEqual([revertibleUntil, undefined]);
    expect(Date.parse(lendingEndsAt ?? "")).toBeGreaterThan(broker.now());
    const reverted = await page.call("POST", "/v1/settings/revert", {
      expectedVersion: await page.version(),
    });
    expect(reverted.status).toBe(200);
  });

  it("lends no longer when somebody writes another time to the store", async () => {
    await swap();
    await download();
    const writer = await createStoreWriter(broker.dataDirectory);
    await writer.run(
      `UPDATE builds SET revertible_until = revertible_until + ${30 * dayMs}, downloaded_at = NULL`,
    );
    broker.advance(dayMs);
    expect((await readEnv()).status).toBe(409);
    await writer.run("UPDATE builds SET revertible_until = NULL");
    expect((await readEnv()).status).toBe(409);
  });

  it("is answered no key the moment its time is over, before anybody has ended anything", async () => {
    await swap();
    const { token } = (await broker.call("POST", `/v1/builds/${buildId}/tokens`, { body: {} })).body as {
      token: string;
    };
    await deps().store.write([], async (tables) => {
      // Recurring background work waits for a minute.
      expect(await tables.schedules.take("lending-end", broker.now() + 61_000, 1)).toBe(true);
      const build = await tables.builds.find(buildId);
      const changes = { revertibleUntil: broker.now() - 1 };
      await tables.builds.changeSettings(buildId, build?.settingsVersion ?? 0, changes);
    });
    expect((await show()).lendingEndedAt).toBeUndefined();
    for (const answer of [await readEnv(), await readEnv(token)])
      expect([answer.status, error(answer).code]).toEqual([409, "build_closed"]);
    const revert = await page.call("POST", "/v1/settings/revert", { expectedVersion: await page.version() });
    expect(error(revert).code).toBe("not_revertible");
  });

  it("is told of by a notice, and a page that was open before decides nothing on what it saw", async () => {
    await swap();
    const before = await page.version();
    await deps().store.write([], (tables) => tables.builds.markDownloaded(buildId, broker.now() - dayMs));
    await endDueLendings(deps(), signal);
    const revert = await page.call("POST", "/v1/settings/revert", { expectedVersion: before });
    expect(error(revert).code).toBe("settings_changed");
    await expect
      .poll(() => broker.logs.some((line) => line.includes("lending.ended") && line.includes(buildId)), {
        timeout: 10_000,
      })
      .toBe(true);
  });
});

describe("the first download of a whole file", () => {
  it("starts the clock, which a later switch of another key does not put back", async () => {
    await swap();
    const hidden = await page.call("GET", "/v1/settings/env-file?preview=true");
    expect((await deps().store.read.builds.find(buildId))?.downloadedAt).toBeNull();
    expect([hidden.status, (await download()).status]).toEqual([200, 200]);
    const { downloadedAt } = (await deps().store.read.builds.find(buildId)) ?? expect.fail();
    await goOn(20 * hourMs);
    page = await openPage(broker, buildId, page.browser);
    await page.save("memory-files", { ...ownValues["memory-files"], MEMORY_FILES_TOKEN: "a-newer-token" });
    await swap({ connectors: ["memory-files"], preview: {} });
    expect((await download()).text).toContain("a-newer-token");
    const endsAt = Date.parse((await page.settings()).lendingEndsAt ?? "");
    expect(endsAt).toBe((downloadedAt ?? 0) + dayMs);
    await goOn(5 * hourMs);
    expect(await stateOf()).toMatchObject({ ended: true, leases: ["released", "released"] });
  });

  it("starts it anew after the user has gone back in between", async () => {
    await swap();
    await download();
    await page.call("POST", "/v1/settings/revert", { expectedVersion: await page.version() });
    await broker.call("POST", `/v1/builds/${buildId}/renew`, { body: { ttlSeconds: 604_800 } });
    await goOn(30 * hourMs);
    expect(await stateOf()).toMatchObject({ state: "handing_off", ended: false });
    page = await openPage(broker, buildId, page.browser);
    await swap();
    await goOn(23 * hourMs);
    expect(await stateOf()).toMatchObject({ ended: false, leases: ["active", "active"] });
  });
});

describe("lending", () => {
  it("goes on while anything lent is in use", async () => {
    await swap({ connectors: ["memory-files"], preview: {} });
    await broker.call("POST", `/v1/builds/${buildId}/renew`, { body: { ttlSeconds: 604_800 } });
    await goOn(3 * dayMs);
    expect(await stateOf()).toEqual({ state: "handing_off", leases: ["active", "active"], ended: false });
    expect((await readEnv()).status).toBe(200);
  });

  it("ends once, also when two brokers look at the same time", async () => {
    await swap();
    const second = (await broker.startAnother()).deps;
    await deps().store.write([], (tables) => tables.builds.markDownloaded(buildId, broker.now() - dayMs));
    const ended = await Promise.all([endDueLendings(deps(), signal), endDueLendings(second, signal)]);
    await finishWork(deps(), buildId);
    expect(ended.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(1);
    expect((await actions()).filter((action) => action === "lending.ended")).toHaveLength(1);
  });

  it("stays ended: nothing restores, moves, renews or lends again, and the user can still change a key", async () => {
    await swap();
    await goOn(3 * dayMs);
    page = await openPage(broker, buildId, page.browser);
    const path = `/v1/builds/${buildId}`;
    const refused = await Promise.all([
      broker.call("POST", `${path}/databases/memory-database/archive`),
      broker.call("POST", `${path}/databases/memory-database/restore`),
      page.call("POST", "/v1/settings/transfer", {}),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([409, 409, 409]);
    const leases = await deps().store.read.leases.listByBuild(buildId);
    for (const { id } of leases)
      expect((await broker.call("POST", `/v1/leases/${id}/rotation`, { body: {} })).status).toBe(409);

    const newer = { ...ownValues["memory-files"], MEMORY_FILES_TOKEN: "a-newer-token" };
    expect((await page.save("memory-files", newer)).status).toBe(200);
    await swap({ connectors: ["memory-files"], preview: { "memory-files": true } });
    const bindings = await deps().store.read.bindings.listByBuild(buildId);
    expect(bindings.map(({ preview }) => preview)).toEqual([false, false]);
    expect((await download()).text).toContain("a-newer-token");
    expect((await readEnv()).status).toBe(409);
    const changed = await page.call("POST", "/v1/settings/preview", {
      preview: { "memory-files": true },
      expectedVersion: await page.version(),
    });
    expect([changed.status, error(changed).code]).toEqual([409, "conflict"]);
    expect((await deps().store.read.leases.listByBuild(buildId)).map(({ state }) => state)).toEqual([
      "released",
      "released",
    ]);
    const finished = await page.call("POST", "/v1/settings/finish", {
      expectedVersion: await page.version(),
    });
    expect((finished.body as SettingsView).build.state).toBe("handed_off");
  });

  it("ends with moved data too, whose source stays without writes until then", async () => {
    memory.write(lent.MEMORY_DATABASE_NAME ?? "", "CREATE TABLE notes (id)");
    const started = await page.call("POST", "/v1/settings/transfer", { connectors: ["memory-database"] });
    expect(started.status).toBe(202);
    const stateOfTransfer = async () => (await deps().store.read.transfers.listByBuild(buildId))[0]?.state;
    await expect.poll(stateOfTransfer, { timeout: 15_000 }).toBe("copied");
    await swap({ preview: { "memory-database": false } });
    expect((await broker.readEnv(buildId)).MEMORY_DATABASE_NAME).toBe(lent.MEMORY_DATABASE_NAME);
    expect(() => memory.write(lent.MEMORY_DATABASE_NAME ?? "", "CREATE TABLE more (id)")).toThrow("blocked");
    await goOn(23 * hourMs);
    expect(memory.databases.has(lent.MEMORY_DATABASE_NAME ?? "")).toBe(true);
    await goOn(2 * hourMs);
    expect(memory.databases.has(lent.MEMORY_DATABASE_NAME ?? "")).toBe(false);
    expect(await stateOf()).toMatchObject({ state: "handing_off", ended: true });
    expect(await deps().store.read.transfers.listUnended(10)).toEqual([]);
    memory.databases.remove("own-database");
  });
});
