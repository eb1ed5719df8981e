import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chainRows, hashRow } from "./audit-chain.ts";
import { type ChainProblem, createChainCheck } from "./audit-chain-check.ts";
import { isGenuine } from "./audit-seal.ts";
import { openStore, type Store } from "./open-store.ts";
import type { AuditEventRow, NewAuditEvent } from "./tables/audit-events.ts";

let folder: string;
let store: Store;
const path = () => join(folder, "store.db");
const none = { rows: [], count: 0 };
const event = (id: string, more: Partial<NewAuditEvent> = {}): NewAuditEvent => ({
  id,
  at: 1,
  actor: "system:test",
  action: "test",
  entity: "x",
  details: "{}",
  requestId: null,
  ...more,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyloan-chain-"));
  store = await openStore({ path: path() });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function append(count: number, prefix = "e"): Promise<void> {
  await store.appendAudit(Array.from({ length: count }, (_, index) => event(`${prefix}${index + 1}`)));
}
/** Writes to the file as somebody would who has it, past the broker. */
/** A reader looks at what the file is built of once in a turn of the event loop. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
async function tamper(...statements: string[]): Promise<void> {
  await nextTurn();
  const client = createClient({ url: `file:${path()}` });
  for (const statement of statements) await client.execute(statement);
  client.close();
}
async function check(): Promise<{ rows: number; problem: ChainProblem | undefined }> {
  const chain = createChainCheck();
  let rows = 0;
  for (let after = 0; ; ) {
    const page = await store.read.auditEvents.pageAfter(after, 7);
    chain.add(page);
    rows += page.length;
    const last = page.at(-1);
    if (last === undefined) return { rows, problem: chain.problem() };
    after = last.sequence;
  }
}
async function all(): Promise<AuditEventRow[]> {
  return store.read.auditEvents.pageAfter(0, 1000);
}

describe("the audit chain", () => {
  it("numbers rows without gaps and links each to the one before", async () => {
    await append(3);
    await append(2, "f");
    const rows = await all();
    expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(rows.map(({ previousHash }) => previousHash)).toEqual([
      "0".repeat(64),
      ...rows.slice(0, 4).map(({ hash }) => hash),
    ]);
    expect(await check()).toEqual({ rows: 5, problem: undefined });
  });

  it("stays whole when units of a group fail and are rolled back after their rows", async () => {
    const unit = (id: string, fails: boolean) =>
      store.write([], async (tables) => {
        await tables.auditEvents.insertAll([event(id)]);
        if (fails) throw new Error("changed my mind");
      });
    await Promise.allSettled([
      unit("a", false),
      unit("b", true),
      store.appendAudit([event("c")]),
      unit("d", true),
      unit("e", false),
    ]);
    // Which of them come in one group depends on how long each takes.
    expect((await all()).map(({ id }) => id).sort()).toEqual(["a", "c", "e"]);
    expect(await check()).toEqual({ rows: 3, problem: undefined });
    await append(1);
    expect(store.auditMemory().missing).toEqual(none);
  });

  it("stays one chain when one unit hands rows in twice at the same time", async () => {
    await store.write([], async (tables) => {
      await Promise.all(["a", "b", "c"].map((id) => tables.auditEvents.insertAll([event(id)])));
    });
    expect(await check()).toEqual({ rows: 3, problem: undefined });
  });

  it("does not fork when two brokers write to one store at once", async () => {
    const other = await openStore({ path: path() });
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        (index % 2 === 0 ? store : other).appendAudit([event(`e${index}`)]),
      ),
    );
    const missing = [store.auditMemory().missing, other.auditMemory().missing];
    await other.close();
    expect([missing, await check()]).toEqual([[none, none], { rows: 100, problem: undefined }]);
  });

  it("keeps what it hashed, whatever text a row holds", async () => {
    const texts = ["half \ud800 pair", "nul \u0000 in it", "“quotes” \\ \" '", "\u2028\n\r\t", "😀", ""];
    await store.appendAudit(texts.map((text, index) => event(`e${index}`, { entity: text, details: text })));
    expect(await check()).toEqual({ rows: texts.length, problem: undefined });
  });

  it("hashes rows that differ only in where one text ends and the next begins to different values", () => {
    const hash = (more: Partial<NewAuditEvent>) =>
      chainRows({ sequence: 0, hash: "0" }, [event("e", more)])[0]?.hash;
    const hashes = [
      hash({ actor: "ab", action: "c" }),
      hash({ actor: "a", action: "bc" }),
      hash({ actor: 'a","b', action: "c" }),
      hash({ requestId: "null" }),
      hash({ requestId: null }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("hashes as its first version did: stored chains are made of it", () => {
    const row = { ...event("evt_1", { requestId: "req_1" }), sequence: 7, previousHash: "ab".repeat(32) };
    expect(hashRow(row)).toBe("5488ada204802362fe309c9b6c02dfdcd1aa4e61b30938083a2759f4263de834");
  });
});

describe("a row that was the last one and is gone", () => {
  it.each([
    ["alone", "DELETE FROM audit_events WHERE sequence = 2"],
    ["with all before", "DELETE FROM audit_events"],
  ])("is missed until that is accepted, %s", async (_how, statement) => {
    await append(2);
    const { last } = store.auditMemory();
    await tamper(statement);
    await append(1, "next");
    await append(1, "further");
    const { missing } = store.auditMemory();
    expect(missing).toEqual({ rows: [last], count: 1 });
    store.acceptMissing(missing);
    expect(store.auditMemory().missing).toEqual(none);
  });

  it("is missed on when it went after what was accepted had been told", async () => {
    await append(1);
    const told = store.auditMemory().missing;
    await append(1, "later");
    await tamper("DELETE FROM audit_events WHERE sequence = 2");
    await append(1, "next");
    store.acceptMissing(told);
    expect(store.auditMemory().missing).toMatchObject({ rows: [{ sequence: 2 }], count: 1 });
  });

  it("is missed beside those that went before it: the first of them, and how many", async () => {
    const replaceLast = (id: string) =>
      store.write([], async ({ auditEvents }) => {
        await auditEvents.remove([store.auditMemory().last?.sequence ?? expect.fail()]);
        await auditEvents.insertAll([event(id)]);
      });
    await append(1);
    await tamper("DELETE FROM audit_events");
    const told = await store.write([], ({ auditEvents }) => auditEvents.findMissing());
    await append(5);
    for (let taken = 0; taken < 101; taken++) await replaceLast(`taken${taken}`);
    const { missing } = store.auditMemory();
    expect(missing.rows.slice(0, 3).map(({ sequence }) => sequence)).toEqual([1, 5, 5]);
    expect([missing.rows.length, missing.count]).toEqual([100, 102]);
    store.acceptMissing(told);
    expect(store.auditMemory().missing).toEqual({ rows: missing.rows.slice(1), count: 101 });
  });
});

describe("checking the chain", () => {
  const rehash = async (sequence: number, change: Partial<AuditEventRow>): Promise<string> => {
    const row = await store.read.auditEvents.find(sequence);
    if (row?.previousHash == null) throw new Error("the row is chained");
    return hashRow({ ...row, ...change, previousHash: row.previousHash });
  };

  it.each([
    ["entity", "UPDATE audit_events SET entity = 'y' WHERE sequence = 9"],
    ["time", "UPDATE audit_events SET at = 2 WHERE sequence = 9"],
    ["actor", "UPDATE audit_events SET actor = 'admin:admin' WHERE sequence = 9"],
    ["action", "UPDATE audit_events SET action = 'other' WHERE sequence = 9"],
    ["details", `UPDATE audit_events SET details = '{"a":1}' WHERE sequence = 9`],
    ["request id", "UPDATE audit_events SET request_id = '' WHERE sequence = 9"],
    ["id", "UPDATE audit_events SET id = 'other' WHERE sequence = 9"],
    ["hash", "UPDATE audit_events SET hash = 'ab' WHERE sequence = 9"],
    ["hash, taken away", "UPDATE audit_events SET hash = NULL WHERE sequence = 9"],
    ["link", "UPDATE audit_events SET previous_hash = 'ab' WHERE sequence = 9"],
  ])("finds an edited %s", async (_what, statement) => {
    await append(20);
    await tamper(statement);
    expect(await check()).toEqual({ rows: 20, problem: { sequence: 9, kind: "edited" } });
  });

  it("finds an edited row whose hash was made anew", async () => {
    await append(20);
    const hash = await rehash(9, { entity: "y" });
    await tamper(`UPDATE audit_events SET entity = 'y', hash = '${hash}' WHERE sequence = 9`);
    expect((await check()).problem).toEqual({ sequence: 9, kind: "edited" });
  });

  it.each([
    ["in the middle", 9],
    ["at the start", 1],
  ])("finds a row removed %s", async (_where, sequence) => {
    await append(20);
    await tamper(`DELETE FROM audit_events WHERE sequence = ${sequence}`);
    expect(await check()).toEqual({ rows: 19, problem: { sequence, kind: "removed" } });
  });

  it("finds a removed row when the gap was closed by renumbering", async () => {
    await append(20);
    await tamper(
      "DELETE FROM audit_events WHERE sequence = 9",
      "UPDATE audit_events SET sequence = -sequence WHERE sequence > 9",
      "UPDATE audit_events SET sequence = -sequence - 1 WHERE sequence < 0",
    );
    expect((await check()).problem).toEqual({ sequence: 9, kind: "removed" });
  });

  it.each([
    ["neighbours", 9, 10],
    ["rows far apart", 9, 1900],
    ["the first and the last", 1, 2000],
  ])("finds two swapped rows: %s", async (_which, first, second) => {
    await append(2000);
    await tamper(
      `UPDATE audit_events SET sequence = -1 WHERE sequence = ${first}`,
      `UPDATE audit_events SET sequence = ${first} WHERE sequence = ${second}`,
      `UPDATE audit_events SET sequence = ${second} WHERE sequence = -1`,
    );
    expect((await check()).problem).toEqual({ sequence: first, kind: "reordered" });
  });

  it("finds renumbered rows", async () => {
    await append(20);
    await tamper("UPDATE audit_events SET sequence = sequence + 100 WHERE sequence >= 9");
    expect((await check()).problem).toEqual({ sequence: 109, kind: "reordered" });
  });

  it("finds a fork: two rows that follow the same one", async () => {
    await append(9);
    const [first, last] = [await store.read.auditEvents.find(8), await store.read.auditEvents.find(9)];
    if (first?.hash == null || last === undefined) throw new Error("the rows are chained");
    const fork = { ...event("fork"), sequence: 10, previousHash: first.hash };
    await tamper(
      `INSERT INTO audit_events (sequence, id, at, actor, action, entity, details, previous_hash, hash)
       VALUES (10, 'fork', 1, 'system:test', 'test', 'x', '{}', '${first.hash}', '${hashRow(fork)}')`,
    );
    expect((await check()).problem).toEqual({ sequence: 10, kind: "forked" });
  });
});

describe("a store that is older than the chain", () => {
  const older = (count: number) => [
    "UPDATE audit_events SET previous_hash = NULL, hash = NULL",
    `WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO audit_events (id, at, actor, action, entity, details) SELECT 'o' || i, 1, 'a', 'b', 'c', '{}' FROM n`,
  ];

  it("is chained when that is asked for, and goes on where it was", async () => {
    await append(2);
    await store.close();
    await tamper(...older(12_000));
    store = await openStore({ path: path() });
    await store.chainOlderRows();
    await append(1, "new");
    expect(await check()).toEqual({ rows: 12_001, problem: undefined });
  });

  it("is chained to its end when an earlier start was cut off", async () => {
    await append(2);
    await store.close();
    await tamper(...older(3_000));
    store = await openStore({ path: path() });
    await store.chainOlderRows();
    await store.close();
    await tamper("UPDATE audit_events SET previous_hash = NULL, hash = NULL WHERE sequence > 1234");
    store = await openStore({ path: path() });
    await store.chainOlderRows();
    expect(await check()).toEqual({ rows: 3_000, problem: undefined });
  });

  it("is not chained by whoever adds a row", async () => {
    await append(2);
    await tamper(...older(600));
    await append(1, "new");
    expect((await check()).problem).toEqual({ sequence: 1, kind: "out_of_chain" });
  });
});

describe("rows that somebody put behind the end", () => {
  const seal = { macOf: (hash: string) => `mac of ${hash}`, from: 1 };
  const values = (sequence: string, more: string) =>
    `INSERT INTO audit_events (sequence, id, at, actor, action, entity, details, previous_hash, hash)
     SELECT ${sequence}, 'forged', 1, 'a', 'b', 'c', ${more}`;
  const noHash = "'{}', NULL, NULL";
  const many = (count: number, step: number) =>
    `${values("i", noHash)} FROM (WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + ${step} FROM n LIMIT ${count}) SELECT i FROM n)`;
  const forged = {
    id: "forged",
    at: 1,
    actor: "a",
    action: "b",
    entity: "c",
    details: "{}",
    requestId: null,
  };

  it.each<[string, () => Promise<string>]>([
    ["without a hash", async () => values("3", noHash)],
    ["with a hash that is none", async () => values("3", "'{}', '0', 'x'")],
    ["with a hash of megabytes", async () => values("3", "'{}', '0', hex(zeroblob(2000000))")],
    ["with another row's hash", async () => values("3", `'{}', '${"0".repeat(64)}', '${"1".repeat(64)}'`)],
    ["with details of megabytes", async () => values("3", `hex(zeroblob(2000000)), NULL, NULL`)],
    ["with a number that has no next", async () => values("9223372036854775807", noHash)],
    ["with a number that is not safe", async () => values("9007199254740993", noHash)],
    ["with the last safe number", async () => values("9007199254740991", noHash)],
    ["with a number just ahead", async () => values("4", noHash)],
    ["in a crowd", async () => many(12_000, 1)],
    ["in a crowd with gaps", async () => many(12_000, 100)],
    [
      "with the right hash and no MAC",
      async () => {
        const [row] = chainRows((await store.read.auditEvents.findLast()) as { sequence: 2; hash: string }, [
          forged,
        ]);
        return values("3", `'{}', '${row?.previousHash}', '${row?.hash}'`);
      },
    ],
  ])("are no end: %s", async (_what, forge) => {
    store.sealAudit(seal);
    await append(2);
    await tamper(await forge());
    for (const name of ["on", "further"]) await append(2, name);
    await store.close();
    store = await openStore({ path: path() });
    store.sealAudit(seal);
    await append(2, "later");
    const rows = await store.read.auditEvents.pageAfter(0, 20_000);
    expect(rows.filter((row) => row.id !== "forged" && isGenuine(row, seal))).toHaveLength(8);
    await tamper("DELETE FROM audit_events WHERE id = 'forged'");
    expect(await check()).toEqual({ rows: 8, problem: undefined });
  });
});
