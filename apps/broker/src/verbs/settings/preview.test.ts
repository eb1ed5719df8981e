import type { AuditList, ErrorEnvelope, SettingsView } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
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

const hourMs = 3_600_000;
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;
const change = (page: TestPage, path: string, body?: Record<string, unknown>): Promise<Answer> =>
  page.change("POST", `/v1/settings/${path}`, body);
const bindingOf = async (page: TestPage, connector: string) =>
  (await page.settings()).bindings.find((binding) => binding.connector === connector) ?? expect.fail();

describe("what is chosen until the user answers", () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await createTestBroker({ emulators: ["clerk", "stripe"] });
    await broker.putOrgKeys();
  });
  afterAll(() => broker.close());

  const own = (id: string, mode: "test" | "live") =>
    broker.emulators.get(id)?.createUserEnv({ mode }) ?? expect.fail();

  it.each([
    ["test", true],
    ["live", false],
  ] as const)("for keys in %s mode: %s", async (mode, lendsOwn) => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets", "clerk", "stripe"] });
    const token = await broker.createBuildToken(id);
    const lent = await broker.readEnv(id);
    const page = await openPage(broker, id);
    const [clerk, stripe] = [await own("clerk", mode), await own("stripe", mode)];
    const mine: Record<string, string> = { ...clerk, ...stripe };
    await page.save("app-secrets", {});
    for (const [connector, values] of Object.entries({ clerk, stripe })) {
      expect((await bindingOf(page, connector)).previewDefault).toBeUndefined();
      expect((await page.save(connector, values)).status).toBe(200);
      expect((await bindingOf(page, connector)).previewDefault).toBe(lendsOwn);
    }
    expect((await change(page, "swap")).status).toBe(200);
    const { STRIPE_SECRET_KEY, CLERK_SECRET_KEY, JWT_SECRET } = await broker.readEnv(id, token);
    const expected = lendsOwn ? mine : lent;
    expect([STRIPE_SECRET_KEY, CLERK_SECRET_KEY]).toEqual([
      expected.STRIPE_SECRET_KEY,
      expected.CLERK_SECRET_KEY,
    ]);
    // What is not known to be for tests is not lent.
    expect(JWT_SECRET).toBe(lent.JWT_SECRET);
    const file = await page.call("GET", "/v1/settings/env-file");
    expect(file.text).toContain(mine.STRIPE_SECRET_KEY);
    expect(file.text).not.toContain(lent.JWT_SECRET);
  });
});

describe("the answer of the user", () => {
  const both = (answer: boolean) => ({ "memory-database": answer, "memory-files": answer });
  let memory: MemoryConnectors;
  let broker: TestBroker;
  let close: MemoryBroker["close"];
  let page: TestPage;
  let buildId: string;
  let lent: Record<string, string>;

  beforeAll(async () => {
    ({ memory, broker, close } = await createMemoryBroker());
  });
  afterAll(() => close());
  beforeEach(async () => {
    emptyOwn(memory);
    buildId = (await broker.createBuild()).id;
    lent = await broker.readEnv(buildId);
    page = await openPage(broker, buildId);
    await saveOwn(page);
  });

  const deps = () => broker.running().deps;
  const namesIn = async (token?: string) => {
    const { MEMORY_DATABASE_NAME, MEMORY_FILES_NAME } = await broker.readEnv(buildId, token);
    return [MEMORY_DATABASE_NAME, MEMORY_FILES_NAME];
  };
  const lentNames = () => [lent.MEMORY_DATABASE_NAME, lent.MEMORY_FILES_NAME];
  const readsOf = async () =>
    (await page.settings()).bindings.map(({ preview }) => [
      preview?.reads,
      preview?.lastReadAt !== undefined,
    ]);
  const moveAll = async () => {
    memory.write(lent.MEMORY_DATABASE_NAME ?? "", "CREATE TABLE notes (id)");
    expect((await page.call("POST", "/v1/settings/transfer", {})).status).toBe(202);
    const states = async () =>
      (await deps().store.read.transfers.listByBuild(buildId)).map(({ state }) => state);
    await expect.poll(states, { timeout: 15_000 }).toEqual(["copied", "copied"]);
  };

  it("holds for everybody who reads the env, and never for the user's own file", async () => {
    const token = await broker.createBuildToken(buildId);
    await change(page, "swap", { preview: { "memory-database": false, "memory-files": true } });
    const expected = [lent.MEMORY_DATABASE_NAME, "own-files"];
    expect([await namesIn(), await namesIn(token)]).toEqual([expected, expected]);
    const file = await page.call("GET", "/v1/settings/env-file");
    expect(file.text).toContain("own-database-token");
    expect(file.text).not.toContain(lent.MEMORY_DATABASE_TOKEN);
  });

  it("can be changed, is audited, and each answer with a value of theirs is counted and shown", async () => {
    await change(page, "swap", { preview: both(false) });
    expect(await namesIn()).toEqual(lentNames());
    expect(await readsOf()).toEqual([
      [0, false],
      [0, false],
    ]);
    await change(page, "preview", { preview: { "memory-files": true } });
    expect(await namesIn()).toEqual([lent.MEMORY_DATABASE_NAME, "own-files"]);
    await broker.readEnv(buildId, await broker.createBuildToken(buildId, { singleUse: true }));
    const noMore = await change(page, "preview", { preview: { "memory-files": false } });
    expect((noMore.body as SettingsView).bindings[1]?.preview).toMatchObject({
      allowed: false,
      asked: true,
      reads: 2,
    });
    expect(await namesIn()).toEqual(lentNames());
    expect(await readsOf()).toEqual([
      [0, false],
      [2, true],
    ]);
    const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&action=preview.changed`))
      .body as AuditList;
    expect(events.map(({ details }) => details)).toEqual([
      { preview: { "memory-files": false } },
      { preview: { "memory-files": true } },
    ]);
    const reads = (await broker.call("GET", `/v1/audit?entity=${buildId}&action=env.read`)).body as AuditList;
    expect(reads.events.filter(({ details }) => "ofUser" in details)).toHaveLength(2);
  });

  it("holds for an answer that was being made when it came", async () => {
    await change(page, "swap", { preview: both(true) });
    const { bindings } = deps().store.read;
    const { envSources } = bindings;
    let reads = 0;
    Object.assign(bindings, {
      envSources: async (id: string) => {
        const rows = await envSources(id);
        if (++reads === 1) await change(page, "preview", { preview: both(false) });
        return rows;
      },
    });
    const names = await namesIn().finally(() => Object.assign(bindings, { envSources }));
    expect([names, reads]).toEqual([lentNames(), 2]);
    expect((await readsOf()).map(([count]) => count)).toEqual([0, 0]);
  });

  it("is yes for a build that was switched before anybody was asked, and it says so", async () => {
    await change(page, "swap", { preview: both(true) });
    await deps().store.write([], (tables) =>
      tables.bindings.setPreview(buildId, Object.keys(ownValues), null),
    );
    expect(await namesIn()).toEqual(["own-database", "own-files"]);
    expect((await bindingOf(page, "memory-files")).preview).toMatchObject({ allowed: true, asked: false });
  });

  it.each([
    ["for a service that is not there", "swap", { preview: { stripe: true } }],
    ["for a service that is not switched now", "swap", { connectors: ["memory-files"], preview: both(true) }],
    ["for a service that uses nothing of the user's", "preview", { preview: both(true) }],
  ])("is refused %s, and nothing changes", async (_what, path, body) => {
    const before = await page.version();
    const refused = await change(page, path, body);
    expect([refused.status, error(refused).code]).toEqual([422, "invalid_input"]);
    expect(await page.version()).toBe(before);
  });

  it("is refused when it was given on an older state, and after the end", async () => {
    await change(page, "swap", { preview: both(true) });
    const old = await page.call("POST", "/v1/settings/preview", { preview: both(false), expectedVersion: 0 });
    expect(error(old).code).toBe("settings_changed");
    await change(page, "finish");
    expect(error(await change(page, "preview", { preview: both(false) })).code).toBe("conflict");
  });

  it("takes keys back that a person before has left in use, and lends none of them", async () => {
    await change(page, "swap", { preview: both(true) });
    const ending = { at: broker.now() };
    await deps().store.write([], (tables) => tables.persons.end(buildId, ending.at, ending));
    page = await openPage(broker, buildId);
    expect((await change(page, "preview", { preview: both(false) })).status).toBe(200);
    expect(await namesIn()).toEqual(lentNames());
    const lending = await change(page, "preview", { preview: both(true) });
    expect([lending.status, error(lending).code]).toEqual([409, "not_ready"]);
    expect(await namesIn()).toEqual(lentNames());
  });

  it("is kept when a newer key is switched in without another answer, as long as it was no", async () => {
    await change(page, "swap", { preview: both(false) });
    await page.save("memory-files", { ...ownValues["memory-files"], MEMORY_FILES_TOKEN: "a-newer-token" });
    await change(page, "swap", { connectors: ["memory-files"] });
    expect(await namesIn()).toEqual(lentNames());
  });

  describe("where data was moved", () => {
    it("is yes until they say no, and one for all of it", async () => {
      await moveAll();
      expect((await page.settings()).bindings.map(({ previewDefault }) => previewDefault)).toEqual([
        true,
        true,
      ]);
      const torn = await change(page, "swap", {
        preview: { "memory-database": true, "memory-files": false },
      });
      expect([torn.status, error(torn).code]).toEqual([422, "invalid_input"]);
      await change(page, "swap", { preview: { "memory-files": false } });
      expect(await namesIn()).toEqual(lentNames());
      expect(error(await change(page, "preview", { preview: { "memory-files": true } })).code).toBe(
        "invalid_input",
      );
      expect((await change(page, "preview", { preview: both(true) })).status).toBe(200);
      expect(await namesIn()).toEqual(["own-database", "own-files"]);
    });

    it("is the one they gave before, for what is switched later", async () => {
      await moveAll();
      await change(page, "swap", { connectors: ["memory-files"], preview: { "memory-files": false } });
      const other = { connectors: ["memory-database"], preview: { "memory-database": true } };
      expect(error(await change(page, "swap", other)).code).toBe("invalid_input");
      await change(page, "swap", { connectors: ["memory-database"] });
      expect(await namesIn()).toEqual(lentNames());
    });

    it("keeps what was lent alive while the preview reads it and something else is lent still", async () => {
      await moveAll();
      await change(page, "swap", {
        connectors: ["memory-database"],
        preview: { "memory-database": false },
      });
      await broker.call("POST", `/v1/builds/${buildId}/renew`, { body: { ttlSeconds: 604_800 } });
      const isThere = () => memory.databases.has(lent.MEMORY_DATABASE_NAME ?? "");
      broker.advance(30 * hourMs);
      await finishWork(deps(), buildId);
      expect([isThere(), (await namesIn())[0]]).toEqual([true, lent.MEMORY_DATABASE_NAME]);
      page = await openPage(broker, buildId, page.browser);
      await change(page, "preview", { preview: { "memory-database": true } });
      broker.advance(2 * hourMs);
      await finishWork(deps(), buildId);
      expect([isThere(), (await namesIn())[0]]).toEqual([false, "own-database"]);
    });
  });

  it("keeps lent keys alive that the preview reads, as long as it is lent anything", async () => {
    const { id } = await broker.createBuild({ ttlSeconds: 3600 });
    const own = await openPage(broker, id);
    for (const [connector, env] of Object.entries(ownValues)) await own.save(connector, env);
    await change(own, "swap", { preview: both(false) });
    broker.advance(23 * hourMs);
    expect((await broker.call("GET", `/v1/builds/${id}/env`)).status).toBe(200);
  });

  it("tells who can fix it when what the preview read was revoked", async () => {
    await change(page, "swap", { preview: { "memory-database": true, "memory-files": false } });
    await broker.call("POST", "/v1/leases/revoke", { body: { connector: "memory-files" } });
    const refused = await broker.call("GET", `/v1/builds/${buildId}/env`);
    expect([refused.status, error(refused).code]).toEqual([409, "not_ready"]);
    expect(error(refused).remedy).toContain("settings page");
    await change(page, "preview", { preview: { "memory-files": true } });
    expect(await namesIn()).toEqual(["own-database", "own-files"]);
  });
});
