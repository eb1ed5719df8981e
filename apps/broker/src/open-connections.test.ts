import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { openSocket, openStream } from "./testing/open-connections.ts";
import { openPage } from "./testing/open-page.ts";
import { sweepExpired } from "./verbs/builds/sweep-expired.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso"] });
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const deps = () => broker.running().deps;

const ends: readonly [string, (buildId: string) => Promise<unknown>][] = [
  ["the build is closed", (id) => broker.call("DELETE", `/v1/builds/${id}`)],
  [
    "the lease alone is revoked",
    async (id) => {
      const [lease] = (await deps().store.read.leases.listByBuild(id)).filter(
        ({ connectorId }) => connectorId === "turso",
      );
      return broker.call("DELETE", `/v1/leases/${lease?.id}`);
    },
  ],
  [
    "the build's time is over",
    async (id) => {
      broker.advance(25 * 3_600_000);
      await sweepExpired(deps());
      await finishWork(deps(), id);
    },
  ],
];

describe.each(ends)("when %s", (_what, end) => {
  it("no statement works on connections to the lent database that were open before", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso", "app-secrets"] });
    const env = await broker.readEnv(id);
    const socket = await openSocket(env);
    const inTransaction = await openSocket(env);
    const stream = openStream(env);
    await socket.run("CREATE TABLE notes (id INTEGER)");
    await socket.run("INSERT INTO notes VALUES (1)");
    await stream.run("BEGIN");
    await inTransaction.run("BEGIN");
    const count = "SELECT count(*) FROM notes";
    for (const open of [socket, inTransaction, stream]) expect(await open.run(count)).toBe("1");

    await end(id);

    for (const open of [socket, inTransaction, stream]) {
      await expect(open.run(count)).rejects.toThrow();
      await expect(open.run("INSERT INTO notes VALUES (2)")).rejects.toThrow();
    }
    await expect(openSocket(env)).rejects.toBeDefined();
    await expect(openStream(env).run(count)).rejects.toThrow();
    for (const open of [socket, inTransaction]) open.close();
  });
});

describe("when a build ends", () => {
  it("its tokens, its open settings page, its data key and what a user saved end with it", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso", "app-secrets"] });
    const token = await broker.createBuildToken(id, { ttlSeconds: 3600 });
    const page = await openPage(broker, id);
    expect((await page.save("app-secrets", {})).status).toBe(200);
    await broker.call("DELETE", `/v1/builds/${id}`);
    expect((await broker.call("GET", `/v1/builds/${id}/env`, { token })).status).toBe(401);
    expect((await page.call("GET", "/v1/settings")).status).toBe(401);
    expect((await page.call("POST", "/v1/settings/swap", { expectedVersion: 1 })).status).toBe(401);
    const { read } = deps().store;
    expect(await read.dataKeys.findByOwner(id)).toBeUndefined();
    expect(await read.userKeys.listByBuild(id)).toEqual([]);
    const leases = await read.leases.listByBuild(id);
    expect(leases.map(({ state, env }) => ({ state, env }))).toEqual([
      { state: "released", env: null },
      { state: "released", env: null },
    ]);
  });
});
