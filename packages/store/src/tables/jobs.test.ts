import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { openStore, type Store } from "../open-store.ts";
import type { Tables } from "./index.ts";
import type { ClaimRoom } from "./job-claims.ts";
import type { JobRow } from "./jobs.ts";

const hourMs = 3_600_000;
let folder: string;
// Two brokers on one store.
let stores: readonly [Store, Store];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-jobs-"));
  const path = join(folder, "keyloan.db");
  const first = await openStore({ path });
  stores = [first, await openStore({ path })];
});

afterEach(async () => {
  for (const store of stores) await store.close();
  await rm(folder, { recursive: true, force: true });
});

const job = (id: string, changes: Partial<JobRow> = {}): JobRow => ({
  id,
  kind: "issue",
  entityId: `lease-of-${id}`,
  state: "waiting",
  runAfter: 0,
  attempts: 0,
  lockedBy: null,
  lockedUntil: null,
  fence: 0,
  lastError: null,
  createdAt: 0,
  buildId: "bld_1",
  connectorId: "acme",
  payload: null,
  requiredAction: null,
  endedAt: null,
  ...changes,
});
const insert = (...rows: JobRow[]) => stores[0].write([], (tables) => tables.jobs.insertAll(rows));
/** The jobs of a claim. */
const claimIn = async (store: Store, claim: Parameters<Tables["jobs"]["claimDue"]>[0]) =>
  (await store.write([], (tables) => tables.jobs.claimDue(claim))).jobs;
const claim = (now: number, store: Store = stores[0]) =>
  claimIn(store, { worker: "w", now, lockedUntil: now + 10, limit: 50 });
const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

describe("pauses that a provider asks for", () => {
  it("holds back that provider's jobs alone, in every broker, until they end", async () => {
    await insert(job("a"), job("b", { connectorId: "other" }), job("c", { connectorId: null }));
    await stores[0].write([], (tables) => tables.providerLimits.pause("acme", 1_000, 0));
    expect(ids(await claim(500, stores[1])).sort()).toEqual(["b", "c"]);
    expect(await stores[1].read.providerLimits.pauseMsOf("acme", 400)).toBe(600);
    expect(ids(await claim(1_000, stores[1]))).toContain("a");
  });

  it("keeps the later end, whoever says it", async () => {
    await stores[0].write([], (tables) => tables.providerLimits.pause("acme", 5_000, 0));
    await stores[1].write([], (tables) => tables.providerLimits.pause("acme", 2_000, 0));
    expect(await stores[0].read.providerLimits.pauseMsOf("acme", 0)).toBe(5_000);
  });

  it("is never longer than an hour, and one of a clock set back holds nothing", async () => {
    await stores[0].write([], (tables) => tables.providerLimits.pause("acme", 99 * hourMs, 0));
    expect(await stores[0].read.providerLimits.pauseMsOf("acme", 0)).toBe(hourMs);
    await stores[0].write([], (tables) => tables.providerLimits.pause("acme", 100 * hourMs, 99.5 * hourMs));
    expect(await stores[0].read.providerLimits.pauseMsOf("acme", 0)).toBe(0);
    await stores[0].write([], (tables) => tables.providerLimits.pause("acme", 1_000, 0));
    expect(await stores[0].read.providerLimits.pauseMsOf("acme", 0)).toBe(1_000);
  });
});

describe("a hold", () => {
  test.each([
    ["of a broker whose clock is a little ahead is kept", 2_000, 0],
    ["of a clock that has been set back since holds nothing", hourMs, 1],
  ])("%s", async (_what, aheadMs, taken) => {
    const [first, second] = stores;
    const now = 100 * hourMs;
    await first.write([], (tables) => tables.jobs.insertAll([job("a")]));
    const claim = (store: Store, at: number) =>
      claimIn(store, { worker: "worker", now: at, lockedUntil: at + 30_000, limit: 5 });
    expect(await claim(first, now + aheadMs)).toHaveLength(1);
    expect(await claim(second, now)).toHaveLength(taken);
  });
});

describe("a claim with room for each provider", () => {
  const claimWith = (rooms: readonly ClaimRoom[], limit: number) =>
    claimIn(stores[0], { worker: "w", now: 100, lockedUntil: 110, limit, rooms });
  beforeEach(() =>
    insert(
      ...["acme", "other", null].flatMap((connectorId, group) =>
        [0, 1, 2].map((place) =>
          job(`${connectorId ?? "none"}${place}`, { connectorId, runAfter: place * 10 + group }),
        ),
      ),
      job("asked", { connectorId: "other", state: "requires_action", runAfter: 5 }),
      job("absent", { connectorId: "not installed" }),
    ),
  );

  it.each([
    {
      what: "takes of each as many as there is room for, and nothing of another",
      rooms: [2, 1, 9],
      limit: 50,
      ids: ["acme0", "acme1", "none0", "none1", "none2", "other0"],
    },
    {
      what: "takes the longest due when the whole is full",
      rooms: [3, 3, 3],
      limit: 4,
      ids: ["acme0", "asked", "none0", "other0"],
    },
    {
      what: "takes what requires manual action too, when it is due",
      rooms: [0, 2, 0],
      limit: 50,
      ids: ["asked", "other0"],
    },
  ])("$what", async ({ rooms: [acme = 0, other = 0, none = 0], limit, ids: expected }) => {
    const rooms = [
      { connectorId: "acme", room: acme },
      { connectorId: "other", room: other },
      { connectorId: null, room: none },
    ];
    expect(ids(await claimWith(rooms, limit)).toSorted()).toEqual(expected);
  });
});

describe("a budget of calls", () => {
  const window = { start: 60_000, lengthMs: 60_000, calls: 10 };
  const take = (store: Store, count: number, changed = {}) =>
    store.write([], (tables) => tables.providerLimits.take("acme", { ...window, ...changed }, count));

  it("is never exceeded by brokers that take at once", async () => {
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, index) => take(stores[index % 2] ?? stores[0], 1)),
    );
    expect(taken.filter(Boolean)).toHaveLength(10);
  });

  test.each([
    ["the next window is whole again", { start: 120_000 }, true],
    ["a broker whose clock is a little behind takes from the window that is", { start: 0 }, false],
    ["a window further ahead, of a clock set back since, is begun anew", { start: -60_000 }, true],
  ])("%s", async (_, changed, granted) => {
    expect(await take(stores[0], 10)).toBe(true);
    expect(await take(stores[1], 5, changed)).toBe(granted);
  });

  it("keeps a pause that was asked for meanwhile", async () => {
    await stores[0].write([], (tables) => tables.providerLimits.pause("acme", 90_000, 60_000));
    await take(stores[1], 1);
    expect(await stores[0].read.providerLimits.pauseMsOf("acme", 60_000)).toBe(30_000);
  });
});

describe("jobs that require action", () => {
  const requiredAction = { since: 0, dueAt: 100, steps: [{ text: "Look." }], variables: ["KEY"] };

  it("are run again when they have a time for it, and keep what a person must do", async () => {
    await insert(job("a"), job("b"));
    const claimed = await claim(0);
    for (const [index, { id, fence }] of claimed.entries()) {
      const runAfter = index === 0 ? 50 : Number.MAX_SAFE_INTEGER;
      await stores[0].write([], (tables) =>
        tables.jobs.requireAction(id, fence, requiredAction, runAfter, "down"),
      );
    }
    expect(await claim(40)).toEqual([]);
    const [again, ...none] = await claim(60, stores[1]);
    expect(none).toEqual([]);
    expect(again).toMatchObject({ state: "requires_action", requiredAction, fence: 2 });
    const { id = "", fence = 0 } = again ?? {};
    expect(await stores[1].write([], (tables) => tables.jobs.retry(id, fence, 90, "down"))).toBe(true);
    expect(await stores[0].read.jobs.find(id)).toMatchObject({ state: "requires_action", lockedBy: null });
  });

  it("are reminded of once, whoever of two brokers does it", async () => {
    await insert(job("a", { state: "requires_action", requiredAction }));
    const remind = (store: Store) =>
      store.write([], (tables) => tables.jobs.setReminded("a", requiredAction, 50));
    const told = await Promise.all([remind(stores[0]), remind(stores[1])]);
    expect(told.filter(Boolean)).toHaveLength(1);
    expect(await stores[0].read.jobs.find("a")).toMatchObject({
      requiredAction: { ...requiredAction, remindedAt: 50 },
    });
  });

  it("start anew as if never run, and what ran meanwhile cannot record its result", async () => {
    await insert(job("a", { state: "requires_action", requiredAction, attempts: 8, fence: 3 }));
    const restarted = await stores[0].write([], (tables) => tables.jobs.restart("a", ["requires_action"], 7));
    expect(restarted).toBe(true);
    expect(await stores[0].read.jobs.find("a")).toMatchObject({
      state: "waiting",
      attempts: 0,
      requiredAction: null,
    });
    expect(await stores[0].write([], (tables) => tables.jobs.finish("a", 3, "done"))).toBe(false);
    expect(await stores[0].write([], (tables) => tables.jobs.restart("a", ["failed"], 7))).toBe(false);
  });
});

describe("ends", () => {
  it("a cancelled job is not run and its late result is refused", async () => {
    await insert(job("a"));
    const [{ fence } = { fence: 0 }] = await claim(0);
    expect(await stores[1].write([], (tables) => tables.jobs.cancel("a", 5))).toBe(true);
    expect(await stores[0].write([], (tables) => tables.jobs.finish("a", fence, "done"))).toBe(false);
    expect(await stores[0].read.jobs.find("a")).toMatchObject({ state: "cancelled", endedAt: 5 });
    expect(await stores[0].write([], (tables) => tables.jobs.cancel("a", 6))).toBe(false);
  });

  it("a run that was not let through counts as none", async () => {
    await insert(job("a"));
    const [{ fence } = { fence: 0 }] = await claim(0);
    await stores[0].write([], (tables) => tables.jobs.postpone("a", fence, 30, "rate_limited"));
    expect(await stores[0].read.jobs.find("a")).toMatchObject({ attempts: 0, runAfter: 30, lockedBy: null });
  });

  it("ended jobs are forgotten by when they ended, open ones never", async () => {
    await insert(
      job("old", { state: "done", runAfter: 0, endedAt: 10 }),
      job("late", { state: "cancelled", runAfter: 0, endedAt: 90 }),
      job("older", { state: "failed", runAfter: 5 }),
      job("hands", { state: "requires_action" }),
    );
    expect(await stores[0].write([], (tables) => tables.jobs.deleteEnded(50))).toBe(2);
    expect(ids(await stores[0].read.jobs.list({ limit: 10 })).sort()).toEqual(["hands", "late"]);
  });
});

describe("lists", () => {
  beforeEach(() =>
    insert(
      job("a", { createdAt: 1, kind: "release", state: "done" }),
      job("b", { createdAt: 2, buildId: "bld_2" }),
      job("c", { createdAt: 2, connectorId: "other" }),
    ),
  );

  test.each([
    ["newest first", {}, ["c", "b", "a"]],
    ["after a place", { after: { createdAt: 2, id: "c" } }, ["b", "a"]],
    ["of a state", { state: "done" as const }, ["a"]],
    ["of a kind", { kind: "issue" }, ["c", "b"]],
    ["of a build", { buildId: "bld_2" }, ["b"]],
    ["of a connector", { connectorId: "other" }, ["c"]],
  ])("%s", async (_, query, expected) => {
    expect(ids(await stores[0].read.jobs.list({ ...query, limit: 10 }))).toEqual(expected);
  });
});
