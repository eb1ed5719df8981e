import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { AuditVerification, BuildList, BuildView, ErrorEnvelope, Rehearsal } from "@keyloan/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { explainStartFailure } from "./start-failure.ts";
import { runSql } from "./testing/app-clients.ts";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { finishWork } from "./testing/finish-work.ts";
import { createMemoryConnectors, type MemoryConnectors } from "./testing/memory-connectors.ts";
import { mountSmallDisk } from "./testing/small-disk.ts";
import { fullDisk, heldLock, readOnlyFiles, type StoreTrouble } from "./testing/store-troubles.ts";

const connector = "memory-database";
const why = "this machine lets nobody mount a disk or take the right to write: run it as root on Linux";
let trouble: StoreTrouble;
let broker: TestBroker;
let memory: MemoryConnectors;
/** Where the provider makes a database: a test holds it up. */
let atProvider: () => Promise<void>;
const error = (answer: Answer) => (answer.body as ErrorEnvelope).error;
const deps = () => broker.running().deps;
const show = async (id: string) => (await broker.call("GET", `/v1/builds/${id}`)).body as BuildView;
const countBuilds = async () =>
  ((await broker.call("GET", "/v1/builds?limit=200")).body as BuildList).builds.length;
const create = () =>
  broker.call("POST", "/v1/builds?wait=0", { body: { name: "x", connectors: [connector] } });
const ready = () => broker.call("GET", "/health/ready", { token: null });
const heldUp = () => {
  memory = createMemoryConnectors();
  atProvider = async () => {};
  return memory.connectors.map((each) => {
    const { database } = each;
    if (database === undefined) return each;
    const create: typeof database.create = async (...asked) => {
      const made = await database.create(...asked);
      await atProvider();
      return made;
    };
    return { ...each, database: { ...database, create } };
  });
};
const start = async (dataDirectory: string) => {
  broker = await createTestBroker({ emulators: [], connectors: heldUp(), config: { dataDirectory } });
};

type Case = readonly [
  what: string,
  make: () => Promise<StoreTrouble | undefined>,
  reason: RegExp,
  /** What whoever starts a broker then is told; nothing when it starts. */
  startFailure: RegExp | undefined,
];
const cases: readonly Case[] = [
  ["whose disk is full", fullDisk, /its disk is full/, undefined],
  [
    "that another process holds for longer than is waited",
    heldLock,
    /another process is using it/,
    undefined,
  ],
  [
    "that may not be written any more",
    readOnlyFiles,
    /its file cannot be written/,
    /^The store's file cannot be written \(E(?:PERM|ROFS|ACCES)\): \S+\. Look at KEYLOAN_DATA_DIR\.$/,
  ],
];

describe.each(cases)("a store %s", (_what, make, reason, startFailure) => {
  beforeEach(async (context) => {
    const made = await make();
    if (made === undefined) return context.skip(why);
    trouble = made;
    await start(trouble.folder);
    return async () => {
      await trouble.end();
      await broker.close();
      memory.databases.close();
      await trouble.close();
    };
  });

  it("refuses reads and writes with what to do, says so at /health/ready, and goes on by itself", async () => {
    const { id } = await broker.createBuild({ connectors: [connector] });
    await broker.createBuild({ connectors: [connector] });
    const before = await broker.readEnv(id);
    expect((await ready()).status).toBe(200);
    await trouble.begin();
    const began = performance.now();
    const answers = await Promise.all([
      broker.call("GET", `/v1/builds/${id}/env`),
      broker.call("GET", `/v1/builds/${id}`),
      create(),
      broker.call("POST", `/v1/builds/${id}/databases/${connector}/archive`),
      broker.call("DELETE", `/v1/builds/${id}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    for (const answer of answers) {
      expect(error(answer)).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(reason),
        remedy: expect.stringMatching(/\.$/),
      });
      expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
      expect(answer.text).not.toContain(before.MEMORY_DATABASE_TOKEN);
    }
    // What came while others waited for the lock waits once more.
    expect(performance.now() - began).toBeLessThan(20_000);
    broker.advance(60_000);
    const told = await ready();
    expect(told.status).toBe(503);
    expect((await broker.call("GET", "/health/live", { token: null })).status).toBe(200);
    await trouble.end();
    await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe(200);
    expect(await broker.readEnv(id)).toEqual(before);
    expect((await show(id)).state).toBe("ready");
    expect(await countBuilds()).toBe(2);
    expect(memory.frozen.size).toBe(0);
    expect(
      (await broker.call("POST", "/v1/audit/verify", { body: {} })).body as AuditVerification,
    ).toMatchObject({
      verdict: "self_consistent",
    });
    await deps().store.checkIntegrity();
    expect(told.body).toMatchObject({
      parts: expect.arrayContaining([{ name: "audit", ok: false, message: expect.any(String) }]),
    });
  }, 60_000);

  it("loses nothing of a build that a provider is making something for at that moment", async () => {
    const reached = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    atProvider = () => {
      reached.resolve();
      return open.promise;
    };
    const { id } = (await create()).body as BuildView;
    await reached.promise;
    await trouble.begin();
    open.resolve();
    await deps().runner.settled(id);
    await trouble.end();
    expect((await show(id)).state).not.toBe("ready");
    broker.advance(60_000);
    await finishWork(deps(), id);
    expect((await show(id)).state).toBe("ready");
    expect(memory.databases.names()).toEqual([(await broker.readEnv(id)).MEMORY_DATABASE_NAME]);
  }, 60_000);

  it("tells whoever starts a broker in one sentence, or starts it and says that it is not ready", async () => {
    await trouble.begin();
    const another = await broker.startAnother().catch((failure: unknown) => failure);
    if (startFailure === undefined) {
      expect(another).not.toBeInstanceOf(Error);
      expect((await ready()).status).toBe(503);
    } else {
      expect(explainStartFailure(another, broker.config)).toMatch(startFailure);
    }
  }, 60_000);
});

describe("a disk with too little space", () => {
  it("for a copy of the store fails the rehearsal alone, and what was copied is removed", async (context) => {
    const disk = (await mountSmallDisk(16)) ?? context.skip(why);
    await start(disk.folder);
    try {
      await broker.createBuild({ connectors: [connector] });
      await disk.fill(100_000);
      const answer = await broker.call("POST", "/v1/rollback/rehearsals");
      expect(answer.status).toBe(200);
      expect(answer.body as Rehearsal).toMatchObject({
        ok: false,
        steps: [
          { name: "copy", ok: false, message: "the disk of the store is full" },
          { name: "clean_up", ok: true },
        ],
      });
      expect(await readdir(join(disk.folder, "rehearsals"))).toEqual([]);
      await disk.free();
      expect((await broker.call("POST", "/v1/rollback/rehearsals")).body).toMatchObject({ ok: true });
    } finally {
      await broker.close();
      memory.databases.close();
      await disk.unmount();
    }
  });

  it("for a download says so, leaves nothing there, and gives it when there is room", async (context) => {
    const disk = (await mountSmallDisk(16)) ?? context.skip(why);
    broker = await createTestBroker({ emulators: ["turso"], config: { dataDirectory: disk.folder } });
    try {
      await broker.putOrgKeys();
      const { id } = await broker.createBuild({ connectors: ["turso"] });
      const env = await broker.readEnv(id);
      await runSql(env, "CREATE TABLE notes (id INTEGER PRIMARY KEY, bytes BLOB)");
      const rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30)";
      await runSql(env, `INSERT INTO notes ${rows} SELECT i, zeroblob(100000) FROM n`);
      await disk.fill(1_000_000);
      const download = () => broker.call("GET", `/v1/builds/${id}/databases/turso/download`);
      const refused = await download();
      expect([refused.status, error(refused)]).toMatchObject([
        503,
        { code: "unavailable", remedy: expect.stringMatching(/free space/) },
      ]);
      expect(await readdir(join(disk.folder, "downloads"))).toEqual([]);
      await disk.free();
      expect((await download()).status).toBe(200);
    } finally {
      await broker.close();
      await disk.unmount();
    }
  });
});
