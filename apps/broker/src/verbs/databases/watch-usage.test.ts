import { ProviderError } from "@keyloan/contract";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { createTestBroker, type TestBroker } from "../../testing/create-test-broker.ts";
import { finishWork } from "../../testing/finish-work.ts";
import { createMemoryConnectors, type MemoryConnectors } from "../../testing/memory-connectors.ts";
import { nextUsage, usageIntervalMs, watchUsage } from "./watch-usage.ts";

const dayMs = 24 * 3_600_000;
const { signal } = new AbortController();

describe("what is known after a look", () => {
  const known = { rows: 500, checkedAt: 2_000, idleSince: 1_000 };
  test.each<[string, Parameters<typeof nextUsage>, { idleSince: number }]>([
    ["the first look", [{ usage: null, issuedAt: 100 }, 500, 3_000, undefined], { idleSince: 3_000 }],
    ["never used", [{ usage: null, issuedAt: 100 }, 0, 3_000, undefined], { idleSince: 100 }],
    ["nothing more used", [{ usage: known, issuedAt: 100 }, 500, 3_000, undefined], { idleSince: 1_000 }],
    ["used", [{ usage: known, issuedAt: 100 }, 501, 3_000, undefined], { idleSince: 3_000 }],
    ["a new month, unused", [{ usage: known, issuedAt: 100 }, 0, 3_000, undefined], { idleSince: 1_000 }],
    ["a new month, used", [{ usage: known, issuedAt: 100 }, 20, 3_000, undefined], { idleSince: 3_000 }],
    ["read by our own archiving", [{ usage: known, issuedAt: 100 }, 900, 3_000, 2_500], { idleSince: 1_000 }],
    [
      "used since an older archiving",
      [{ usage: known, issuedAt: 100 }, 900, 3_000, 1_500],
      { idleSince: 3_000 },
    ],
    ["a clock that was set back", [{ usage: known, issuedAt: 100 }, 500, 600, undefined], { idleSince: 600 }],
  ])("%s", (_what, [lease, rows, now, triedAt], expected) => {
    expect(nextUsage(lease, rows, now, triedAt)).toEqual({ rows, checkedAt: now, ...expected });
  });

  test.each([
    [0, 0],
    [30, dayMs],
    [2, dayMs / 2],
    [0.1, dayMs / 40],
  ])("with a limit of %d days usage is asked for every %d ms", (archiveAfterDays, expected) => {
    expect(usageIntervalMs({ archiveAfterDays })).toBe(expected);
  });
});

describe("looking at all databases", () => {
  let memory: MemoryConnectors;
  let broker: TestBroker;
  beforeEach(async () => {
    memory = createMemoryConnectors();
    // The schedule asks for usage by itself when the broker starts; these tests ask.
    broker = await createTestBroker({
      emulators: [],
      connectors: memory.connectors,
      config: { archiveAfterDays: 30 },
    });
  });
  afterEach(async () => {
    await broker.close();
    memory.databases.close();
  });

  const deps = () => broker.running().deps;
  const lend = async () => {
    const { id } = await broker.createBuild({ connectors: ["memory-database"], ttlSeconds: 7 * 24 * 3600 });
    const name = (await broker.readEnv(id)).MEMORY_DATABASE_NAME ?? "";
    return { id, name };
  };
  const renew = async (id: string) =>
    expect(
      (await broker.call("POST", `/v1/builds/${id}/renew`, { body: { ttlSeconds: 7 * 24 * 3600 } })).status,
    ).toBe(200);
  const look = async (...ids: string[]) => {
    await watchUsage(deps(), signal);
    await finishWork(deps(), ...ids);
  };
  const stateOf = async (id: string) => (await deps().store.read.leases.listByBuild(id))[0]?.state;

  it("archives what lay idle for the whole time, with a build that was renewed all along, and nothing else", async () => {
    const idle = await lend();
    const used = await lend();
    memory.used.set(idle.name, 100);
    for (let day = 0; day <= 30; day++) {
      expect(await stateOf(idle.id)).toBe("active");
      memory.used.set(used.name, 100 + day);
      await look(idle.id, used.id);
      broker.advance(dayMs);
      if (day % 5 === 4) await Promise.all([renew(idle.id), renew(used.id)]);
    }
    await look(idle.id, used.id);
    expect([await stateOf(idle.id), await stateOf(used.id)]).toEqual(["archived", "active"]);
    expect(memory.databases.names()).toEqual([used.name]);
  });

  it("starts no SQL at the databases", async () => {
    await lend();
    memory.databases.steps.length = 0;
    await look();
    expect(memory.databases.steps).toEqual([]);
  });

  it("goes on with the others when one cannot be asked", async () => {
    const [one, two] = [await lend(), await lend()];
    let asked = 0;
    memory.control.usageTrouble = (name) => {
      asked += 1;
      if (name === one.name) throw new ProviderError("memory", "unavailable", "is down");
    };
    await look(one.id, two.id);
    expect(asked).toBe(2);
    const usages = await Promise.all(
      [one, two].map(async ({ id }) => (await deps().store.read.leases.listByBuild(id))[0]?.usage),
    );
    expect(usages).toEqual([null, expect.objectContaining({ rows: 0 })]);
    expect(broker.logs.some((line) => line.includes("could not be read"))).toBe(true);
  });

  it("tries one that could not be archived again only after a week", async () => {
    const { id, name } = await lend();
    memory.databases.trouble[name] = {
      dump: () => {
        throw new ProviderError("memory", "rejected", "holds what a dump would lose");
      },
    };
    const attempts = async () => (await deps().store.read.archives.listByBuild(id)).length;
    await deps().store.write([], async (tables) => {
      const [lease] = await tables.leases.listByBuild(id);
      const idleSince = deps().now() - 31 * dayMs;
      const usage = { rows: 0, checkedAt: deps().now() - dayMs, idleSince };
      await tables.leases.update(lease?.id ?? "", ["active"], { usage });
    });
    await look(id);
    expect(await attempts()).toBe(1);
    broker.advance(dayMs);
    await look(id);
    expect(await attempts()).toBe(1);
    await renew(id);
    broker.advance(6 * dayMs);
    await renew(id);
    await look(id);
    expect(await attempts()).toBe(2);
  });

  it("never archives by itself when told so", async () => {
    await broker.restart({ archiveAfterDays: 0 });
    const { id } = await lend();
    await look(id);
    broker.advance(6 * dayMs);
    await look(id);
    expect(await stateOf(id)).toBe("active");
  });
});
