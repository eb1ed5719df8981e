import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore, type Store } from "./open-store.ts";
import type { NewAuditEvent } from "./tables/audit-events.ts";

let folder: string;
let store: Store;

const event = (id: string): NewAuditEvent => ({
  id,
  at: 1,
  actor: "system:test",
  action: "test",
  entity: "x",
  details: "{}",
  requestId: null,
});
const organization = (id: string) => ({ id, name: "Org", createdAt: 1 });
const path = () => join(folder, "data", "store.db");

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-store-"));
  store = await openStore({ path: path() });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

describe("openStore", () => {
  it("makes its file and folder readable by the owner alone", async () => {
    await store.write([], (tables) => tables.organizations.insert(organization("o1")));
    expect((await stat(join(folder, "data"))).mode & 0o777).toBe(0o700);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect((await stat(`${path()}-wal`)).mode & 0o777).toBe(0o600);
  });

  it("opens again with what was written, and migrates nothing twice", async () => {
    await store.write([], (tables) => tables.organizations.insert(organization("o1")));
    await store.close();
    store = await openStore({ path: path() });
    expect(await store.read.organizations.find("o1")).toMatchObject(organization("o1"));
  });

  it("keeps the engine's full synchronisation and write-ahead log", async () => {
    const client = createClient({ url: `file:${path()}` });
    expect((await client.execute("PRAGMA journal_mode")).rows[0]?.[0]).toBe("wal");
    expect((await client.execute("PRAGMA synchronous")).rows[0]?.[0]).toBe(2);
    client.close();
  });

  it("refuses a damaged file with a sentence", async () => {
    const damaged = join(folder, "damaged.db");
    await writeFile(damaged, "this is not a database, it only looks like a file".repeat(100));
    await expect(openStore({ path: damaged })).rejects.toMatchObject({ name: "StoreError", code: "corrupt" });
  });

  it("refuses a folder it cannot make with a sentence", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(openStore({ path: join(folder, "file", "store.db") })).rejects.toMatchObject({
      code: "unavailable",
    });
  });
});

describe("group commit", () => {
  it("rolls a failing unit back alone", async () => {
    const outcomes = await Promise.allSettled([
      store.write([], (tables) => tables.organizations.insert(organization("a"))),
      store.write([], async (tables) => {
        await tables.organizations.insert(organization("b"));
        throw new Error("changed my mind");
      }),
      store.write([], (tables) => tables.organizations.insert(organization("a"))),
      store.appendAudit([event("e1")]),
      store.write([], (tables) => tables.organizations.insert(organization("c"))),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(outcomes[2]).toMatchObject({ reason: { name: "StoreError", code: "conflict" } });
    expect(await store.read.organizations.find("b")).toBeUndefined();
    expect(await store.read.organizations.find("c")).toBeDefined();
    expect(await store.read.auditEvents.list({ limit: 10 })).toHaveLength(1);
  });

  it("keeps a lone unit's failure from leaving anything", async () => {
    await expect(
      store.write([], async (tables) => {
        await tables.organizations.insert(organization("b"));
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    expect(await store.read.organizations.find("b")).toBeUndefined();
  });

  it("numbers audit rows in the order they were handed in", async () => {
    await Promise.all(Array.from({ length: 300 }, (_, index) => store.appendAudit([event(`e${index}`)])));
    const rows = await store.read.auditEvents.list({ limit: 400 });
    expect(rows.map(({ id }) => id).toReversed()).toEqual(
      Array.from({ length: 300 }, (_, index) => `e${index}`),
    );
  });

  it("leaves nothing deleted in the file or its log once it was erased", async () => {
    const wrapped = "canary-wrapped-key-".repeat(10);
    await store.write([], (tables) =>
      tables.dataKeys.insert({ id: "d1", ownerId: "b1", kid: "k", wrapped, createdAt: 1 }),
    );
    await store.write([], (tables) => tables.dataKeys.deleteByOwner("b1"));
    await store.eraseDeleted();
    const files = await Promise.all([path(), `${path()}-wal`].map((file) => readFile(file, "latin1")));
    expect(files.join("")).not.toContain("canary-wrapped-key");
  });

  it("waits while another process holds the lock, then writes", async () => {
    const other = createClient({ url: `file:${path()}` });
    const held = await other.transaction("write");
    const written = store.write([], (tables) => tables.organizations.insert(organization("late")));
    setTimeout(() => void held.commit(), 120);
    await written;
    other.close();
    expect(await store.read.organizations.find("late")).toBeDefined();
  });

  it("lets everything else go on while a write waits for another process's lock", async () => {
    const other = createClient({ url: `file:${path()}` });
    const held = await other.transaction("write");
    const written = store.write([], (tables) => tables.organizations.insert(organization("late")));
    let reads = 0;
    while (reads < 50) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(await store.read.organizations.find("late")).toBeUndefined();
      reads += 1;
    }
    await held.commit();
    await written;
    other.close();
    expect(await store.read.organizations.find("late")).toBeDefined();
  });

  it("keeps no query open, so that the log can be written back while the store is in use", async () => {
    await store.write([], (tables) => tables.organizations.insert(organization("o1")));
    await store.read.organizations.first();
    await store.read.builds.list({ limit: 100 });
    const other = createClient({ url: `file:${path()}` });
    const [checkpoint] = (await other.execute("PRAGMA wal_checkpoint(TRUNCATE)")).rows;
    other.close();
    expect(checkpoint?.[0]).toBe(0);
    expect((await stat(`${path()}-wal`)).size).toBe(0);
  });

  it("refuses a write that outlives its transaction", async () => {
    const leaked = await store.write(
      [],
      async (tables) => () => tables.organizations.insert(organization("o1")),
    );
    await expect(leaked()).rejects.toThrow();
    expect(await store.read.organizations.find("o1")).toBeUndefined();
  });

  it("never puts row values into the error of a refused write", async () => {
    await store.write([], (tables) =>
      tables.organizations.insert({ ...organization("x"), name: "canary-value" }),
    );
    const error: unknown = await store
      .write([], (tables) => tables.organizations.insert({ ...organization("x"), name: "canary-value" }))
      .catch((reason: unknown) => reason);
    expect(`${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain(
      "canary-value",
    );
    expect((error as Error).cause).toBeUndefined();
  });

  it("refuses writes after it was closed", async () => {
    await store.close();
    await expect(store.appendAudit([event("e")])).rejects.toMatchObject({ code: "unavailable" });
    store = await openStore({ path: path() });
  });
});

describe("jobs", () => {
  const job = (id: string) => ({
    id,
    kind: "issue",
    entityId: "l1",
    state: "waiting" as const,
    runAfter: 0,
    attempts: 0,
    lockedBy: null,
    lockedUntil: null,
    fence: 0,
    lastError: null,
    buildId: null,
    connectorId: null,
    payload: null,
    requiredAction: null,
    endedAt: null,
    createdAt: 0,
  });

  it("gives a due job to one worker only, and its result to the latest holder only", async () => {
    await store.write([], (tables) => tables.jobs.insertAll([job("j1")]));
    const { jobs: first } = await store.write([], (tables) =>
      tables.jobs.claimDue({ worker: "w1", now: 10, lockedUntil: 20, limit: 5 }),
    );
    const { jobs: none } = await store.write([], (tables) =>
      tables.jobs.claimDue({ worker: "w2", now: 15, lockedUntil: 30, limit: 5 }),
    );
    const { jobs: second } = await store.write([], (tables) =>
      tables.jobs.claimDue({ worker: "w2", now: 25, lockedUntil: 40, limit: 5 }),
    );
    expect([first.length, none.length, second.length]).toEqual([1, 0, 1]);
    expect(await store.write([], (tables) => tables.jobs.finish("j1", first[0]?.fence ?? 0, "done"))).toBe(
      false,
    );
    expect(await store.write([], (tables) => tables.jobs.finish("j1", second[0]?.fence ?? 0, "done"))).toBe(
      true,
    );
  });
});
