import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type AuditHead,
  type AuditVerification,
  auditHeadType,
  type ErrorEnvelope,
  receiptType,
  type SigningKeys,
} from "@keyloan/contract";
import { verifyReceipt } from "@keyloan/sdk";
import { rowMac } from "@keyloan/vault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createOwnerKey } from "./sealing/data-key.ts";
import { createSigner } from "./signing.ts";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createStoreWriter, type StoreRow, type StoreWriter } from "./testing/store-writer.ts";
import { findStandingProblem } from "./verbs/audit/audit-standing.ts";

let broker: TestBroker;
let writer: StoreWriter;
/** Two heads: of row 3, and of row 6, the last. */
let heads: readonly [AuditHead, AuditHead];
let buildId: string;

beforeEach(async () => {
  broker = await createTestBroker({ emulators: [] });
  writer = await createStoreWriter(broker.dataDirectory);
  heads = [await signedHead("a"), await signedHead("b")];
});
afterEach(() => broker.close());

async function signedHead(name: string): Promise<AuditHead> {
  for (const more of ["1", "2"])
    await broker.call("POST", "/v1/tokens", { body: { name: name + more, scopes: ["builds:read"] } });
  return (await broker.call("GET", "/v1/audit/head")).body as AuditHead;
}
async function verify(head?: string): Promise<AuditVerification> {
  const answer = await broker.call("POST", "/v1/audit/verify", { body: head === undefined ? {} : { head } });
  expect(answer.status).toBe(200);
  return answer.body as AuditVerification;
}
const genuineKey = () => writer.only("SELECT * FROM signing_keys");

/** An own public key in the store, newer than the broker's. */
async function insertOwnKey(more: StoreRow = {}): Promise<string> {
  const row = await genuineKey();
  const id = "sig_00000000000000000000";
  const createdAt = Number(row.created_at) + 1;
  await writer.insert("signing_keys", {
    ...row,
    id,
    public_key: writer.publicKey,
    created_at: createdAt,
    ...more,
  });
  return id;
}

/** Takes rows away, writes the chain anew from there on, and gives its end a head of the writer's own. */
async function rewriteHistory(kid: string): Promise<void> {
  const { store, now } = broker.running().deps;
  const [third, ...rest] = await store.read.auditEvents.pageAfter(2, 10);
  expect(third).toBeDefined();
  await writer.run("DELETE FROM audit_events WHERE sequence > 2");
  await store.appendAudit(rest.map((row) => ({ ...row, entity: "harmless" })));
  const last = (await store.read.auditEvents.findLast()) ?? expect.fail();
  const at = now();
  const payload = { sequence: last.sequence, hash: last.hash, at, counter: 2 };
  const signed = await writer.sign(kid, auditHeadType, payload);
  await writer.run("DELETE FROM audit_heads WHERE sequence > 3");
  await writer.insert("audit_heads", { sequence: last.sequence, hash: last.hash, at, signed });
}

/** As a text, which the column makes a number of: JavaScript has none that large. */
const unsafe = (sequence: string) => ({ sequence });
const cut = ["DELETE FROM audit_heads WHERE sequence > 3", "DELETE FROM audit_events WHERE sequence > 3"];
const empty = ["DELETE FROM audit_heads", "DELETE FROM audit_events", "DELETE FROM sqlite_sequence"];

/** A row behind the end, chained to it as anybody can who reads the store. */
async function chainedRow(more: StoreRow = {}): Promise<StoreRow> {
  const last = await writer.only(lastRow);
  const values = { id: "forged", at: 1, actor: "admin", action: "env.read", entity: "bld_x", details: "{}" };
  return rehashed(
    { sequence: Number(last.sequence) + 1, ...values, request_id: null, ...more },
    String(last.hash),
  );
}
function rehashed(row: StoreRow, previous: string): StoreRow {
  const { sequence, id, at, actor, action, entity, details, request_id } = row;
  const content = [previous, sequence, id, at, actor, action, entity, details, request_id ?? null];
  const hash = createHash("sha256")
    .update(JSON.stringify(["keyloan/audit/v1", ...content]))
    .digest("hex");
  return { ...row, previous_hash: previous, hash };
}
const lastRow = "SELECT * FROM audit_events WHERE sequence < 9007199254740992 ORDER BY sequence DESC LIMIT 1";
const append = async (more: StoreRow = {}, past: StoreRow = {}) =>
  writer.insert("audit_events", { ...(await chainedRow(more)), ...past });
const unchained = { previous_hash: null, hash: null };
const megabytes = "x".repeat(3_000_000);

type Forgery = readonly [title: string, forge: () => Promise<unknown>, kind: string, sequence: unknown];

const forgeries: readonly Forgery[] = [
  ["an own public key among the signing keys", () => insertOwnKey({ mac: null }), "signing_key", 0],
  ["an own public key with the MAC of another row", () => insertOwnKey(), "signing_key", 0],
  [
    "an own public key with a MAC under another org's key",
    async () => {
      const { key } = createOwnerKey(broker.running().deps, "org_other");
      const row = { ...(await genuineKey()), public_key: writer.publicKey };
      await insertOwnKey({ mac: rowMac(key, "signing_keys", row) });
    },
    "signing_key",
    0,
  ],
  [
    "rows taken away under a head, renumbered, chained and signed anew with an own key",
    async () => rewriteHistory(await insertOwnKey()),
    "signing_key",
    0,
  ],
  [
    "the same with the own key in the place of the broker's",
    async () => {
      const id = String((await genuineKey()).id);
      await writer.run(`UPDATE signing_keys SET public_key = '${writer.publicKey}'`);
      await rewriteHistory(id);
    },
    "signing_key",
    0,
  ],
  [
    "very many signing keys, each of them long",
    () =>
      writer.run(
        `INSERT INTO signing_keys (id, organization_id, public_key, private_key, created_at, mac)
        SELECT 'sig_' || hex(randomblob(10)), organization_id, hex(zeroblob(1000)), private_key, created_at + 1, 'm1_x'
        FROM signing_keys, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n)`,
        "UPDATE signing_keys SET id = id || hex(zeroblob(1000000)) WHERE id = (SELECT max(id) FROM signing_keys WHERE mac = 'm1_x')",
      ),
    "signing_key",
    0,
  ],
  ["a signing key without its MAC", () => writer.run("UPDATE signing_keys SET mac = NULL"), "signing_key", 0],
  [
    "a signing key of another age",
    () => writer.run("UPDATE signing_keys SET created_at = 1"),
    "signing_key",
    0,
  ],
  [
    "a signing key that got another id, in its heads too",
    async () => {
      const id = String((await genuineKey()).id);
      await writer.run(`UPDATE signing_keys SET id = 'sig_x' WHERE id = '${id}'`);
    },
    "signing_key",
    0,
  ],
  ["no signing key", () => writer.run("DELETE FROM signing_keys"), "signature", 3],
  ["all heads taken away", () => writer.run("DELETE FROM audit_heads"), "heads_missing", 1],
  [
    "the last head taken away",
    () => writer.run("DELETE FROM audit_heads WHERE sequence = 6"),
    "heads_missing",
    4,
  ],
  ["the end cut off with its heads", () => writer.run(...cut), "heads_missing", 4],
  ["the whole audit emptied", () => writer.run(...empty), "heads_missing", 1],
  [
    "the whole audit emptied, and the count and the signing keys too",
    () => writer.run(...empty, "DELETE FROM signing_keys", "UPDATE organizations SET audit_state = NULL"),
    "count",
    0,
  ],
  [
    "a count that is no count",
    () => writer.run("UPDATE organizations SET audit_state = 'v1.x.y'"),
    "count",
    0,
  ],
  [
    "another envelope of the org in the place of the count",
    () => writer.run("UPDATE organizations SET audit_state = (SELECT private_key FROM signing_keys)"),
    "count",
    0,
  ],
  [
    "an older head in the place of a newer one",
    () =>
      writer.run(
        "UPDATE audit_heads SET signed = (SELECT signed FROM audit_heads WHERE sequence = 3) WHERE sequence = 6",
      ),
    "signature",
    6,
  ],
  [
    "rows before the first",
    () =>
      writer.run(
        "INSERT INTO audit_events SELECT -5, 'aud_x', at, 'admin', 'env.read', 'forged', details, request_id, previous_hash, hash, mac FROM audit_events WHERE sequence = 3",
      ),
    "out_of_chain",
    0,
  ],
  ["a row with a number that is not safe", () => append(unsafe("9007199254740993")), "out_of_chain", 0],
  ["a row with a number that has no next", () => append(unsafe("9223372036854775807")), "out_of_chain", 0],
  [
    "a count of megabytes",
    () => writer.run("UPDATE organizations SET audit_state = hex(zeroblob(2000000))"),
    "count",
    0,
  ],
  [
    "details of megabytes in the row of the newest head",
    () => writer.run("UPDATE audit_events SET details = hex(zeroblob(2000000)) WHERE sequence = 6"),
    "edited",
    6,
  ],
  [
    "a head of an own key in the place of the broker's",
    async () => {
      const { sequence, hash, at } = heads[1];
      const payload = { sequence, hash, at: Date.parse(at), counter: 2 };
      const signed = await writer.sign(String((await genuineKey()).id), auditHeadType, payload);
      await writer.run(`UPDATE audit_heads SET signed = '${signed}' WHERE sequence = 6`);
    },
    "signature",
    6,
  ],
];

/** What somebody puts behind the newest head: the rest of the chain that nothing is signed for yet. */
const behind: readonly (readonly [title: string, forge: () => Promise<unknown>, kind: string])[] = [
  ["without a hash, as before there was a chain", () => append({}, unchained), "out_of_chain"],
  ["with the right hash and no MAC", () => append(), "out_of_chain"],
  [
    "with the right hash and the MAC of another row",
    async () => append({}, { mac: (await writer.only(lastRow)).mac ?? null }),
    "out_of_chain",
  ],
  ["with a hash that is none", () => append({}, { hash: "x", previous_hash: "y" }), "out_of_chain"],
  [
    "with a hash of megabytes",
    () => append({}, { hash: megabytes, previous_hash: megabytes }),
    "out_of_chain",
  ],
  ["with the hash of another row", () => append({}, { hash: "0".repeat(64) }), "edited"],
  ["with the last number there is", () => append({ sequence: Number.MAX_SAFE_INTEGER }), "out_of_chain"],
  ["with details that are no JSON", () => append({ details: "this is not JSON" }), "out_of_chain"],
  ["with details of megabytes", () => append({ details: megabytes }), "edited"],
  ["with a time that is none", () => append({ at: 9e15 }), "edited"],
  ["with a text for a time", () => append({ at: "soon" }), "edited"],
  [
    "in a crowd",
    () =>
      writer.run(`INSERT INTO audit_events (id, at, actor, action, entity, details)
        SELECT 'forged', 1, 'a', 'b', 'c', '{}' FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 6000) SELECT i FROM n)`),
    "out_of_chain",
  ],
];

const trigger = (when: string, action: string) => `CREATE TRIGGER hush ${when} BEGIN ${action}; END`;
/** The index by entity without some of its rows, under the text that it should have. */
async function falsifyIndex(entity: string): Promise<void> {
  const { sql } = await writer.only("SELECT sql FROM sqlite_schema WHERE name = 'audit_events_entity'");
  await writer.run("DROP INDEX audit_events_entity", `${sql} WHERE entity <> '${entity}'`);
  await writer.run(
    `UPDATE sqlite_schema SET sql = '${sql}' WHERE name = 'audit_events_entity'`,
    "PRAGMA schema_version = 1000",
  );
}

type Shape = readonly [title: string, forge: string, undo: string];
const shapes: readonly Shape[] = [
  [
    "a trigger that drops rows of env reads",
    trigger("BEFORE INSERT ON audit_events WHEN NEW.action LIKE 'env%'", "SELECT RAISE(IGNORE)"),
    "DROP TRIGGER hush",
  ],
  [
    "a trigger that takes rows of env reads away again",
    trigger(
      "AFTER INSERT ON audit_events WHEN NEW.action LIKE 'env%'",
      "DELETE FROM audit_events WHERE sequence = NEW.sequence",
    ),
    "DROP TRIGGER hush",
  ],
  [
    "a trigger that keeps heads from being counted",
    trigger("BEFORE UPDATE OF audit_state ON organizations", "SELECT RAISE(IGNORE)"),
    "DROP TRIGGER hush",
  ],
  ["a trigger that does nothing", trigger("AFTER DELETE ON tokens", "SELECT 1"), "DROP TRIGGER hush"],
  ["a view", "CREATE VIEW hush AS SELECT * FROM audit_events", "DROP VIEW hush"],
  ["another table", "CREATE TABLE hush (a)", "DROP TABLE hush"],
  ["another index", "CREATE INDEX hush ON audit_events(action)", "DROP INDEX hush"],
];

const countHeads = () => writer.only("SELECT count(*) AS count FROM audit_heads");

describe("a store writer is found out at once,", () => {
  it.each(forgeries)(
    "after %s: nothing new is handed out, envs are read on",
    async (_title, forge, kind, sequence) => {
      buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
      const token = await broker.createBuildToken(buildId);
      await forge();
      const refused = [
        await broker.call("POST", "/v1/builds", { body: { name: "x", connectors: ["app-secrets"] } }),
        await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } }),
        await broker.call("POST", `/v1/builds/${buildId}/tokens`, { body: {} }),
        await broker.call("POST", `/v1/builds/${buildId}/handoff`, { body: {} }),
      ];
      expect(refused.map(({ status, body }) => [status, (body as ErrorEnvelope).error.code])).toEqual(
        refused.map(() => [503, "audit_degraded"]),
      );
      expect((await broker.call("GET", `/v1/builds/${buildId}/env`, { token })).status).toBe(200);
      const ready = await broker.call("GET", "/health/ready", { token: null });
      const part = expect.objectContaining({ name: "anchor", ok: false });
      expect([ready.status, ready.body]).toMatchObject([
        200,
        { status: "degraded", parts: expect.arrayContaining([part]) },
      ]);
      expect((await broker.call("GET", "/v1/audit?entity=forged")).body).toEqual({ events: [] });
      expect((await broker.call("GET", "/metrics")).text).toMatch(/^keyloan_audit_degraded 1$/m);
      const problem = expect.objectContaining({ kind, sequence });
      expect(await verify()).toMatchObject({ verdict: "broken", problem });
      const before = await countHeads();
      await broker.restart();
      expect(await verify()).toMatchObject({ verdict: "broken", problem });
      // What goes on afterwards hides nothing: no head is signed on top of it.
      expect(await countHeads()).toEqual(before);
      expect(broker.logs.join("\n")).toContain("the audit differs from what was signed");
      // A person can go on from it, and the way is in the audit.
      expect((await broker.call("POST", "/v1/audit/accept-head")).status).toBe(200);
      expect(await broker.createBuild({ connectors: ["app-secrets"] })).toMatchObject({ state: "ready" });
      expect((await broker.call("GET", "/v1/audit?action=audit.head_accepted")).text).toContain(kind);
    },
  );

  it.each(behind)(
    "in a row behind the newest head %s, and accept-head removes it",
    async (_title, forge, kind) => {
      buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
      const token = await broker.createBuildToken(buildId);
      await forge();
      const env = () => broker.call("GET", `/v1/builds/${buildId}/env`, { token });
      expect((await env()).status).toBe(200);
      const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
      expect([made.status, made.text]).toEqual([503, expect.stringContaining("audit_degraded")]);
      expect((await broker.call("GET", "/v1/audit/head")).status).toBe(503);
      expect((await broker.call("GET", "/v1/audit")).text).toContain('"altered":true');
      expect((await broker.call("GET", "/v1/audit/export")).text).toContain("audit.exported");
      const problem = expect.objectContaining({ kind, sequence: expect.any(Number) });
      const before = await countHeads();
      expect(await verify()).toMatchObject({ verdict: "broken", problem });
      await broker.restart();
      expect((await env()).status).toBe(200);
      expect(await verify()).toMatchObject({ verdict: "broken", problem });
      expect(await countHeads()).toEqual(before);
      const accepted = await broker.call("POST", "/v1/audit/accept-head");
      expect([accepted.status, accepted.text]).toEqual([200, expect.stringMatching(/"removedRows":[1-9]/)]);
      expect((await broker.call("GET", "/v1/audit?action=audit.rows_removed")).text).toContain('"rows":');
      expect(await broker.createBuild({ connectors: ["app-secrets"] })).toMatchObject({ state: "ready" });
      await broker.restart();
      expect(await verify()).toMatchObject({ verdict: "self_consistent" });
      expect((await broker.call("GET", "/v1/audit")).text).not.toContain('"altered":true');
    },
  );

  it("but for a head taken away between others, which verify alone sees", async () => {
    await writer.run("DELETE FROM audit_heads WHERE sequence = 3");
    expect(await verify()).toMatchObject({
      verdict: "broken",
      problem: { kind: "heads_missing", sequence: 1, message: expect.stringContaining("after 0 comes 2") },
    });
  });

  it("names the signing key that it refuses, and accept-head removes it, audited", async () => {
    const id = await insertOwnKey();
    expect(await verify()).toMatchObject({ problem: { message: expect.stringContaining(id) } });
    const accepted = await broker.call("POST", "/v1/audit/accept-head");
    expect([accepted.status, accepted.body]).toMatchObject([200, { removedKeys: [id], lostHeads: 0 }]);
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored", givenUp: [] });
    expect((await broker.call("GET", "/v1/audit?action=audit.head_accepted")).text).toContain(id);
  });
});

describe("a row that nothing is signed for yet", () => {
  const change = (sequence: number) =>
    `UPDATE audit_events SET entity = 'harmless' WHERE sequence = ${sequence}`;
  async function replaceLast(): Promise<void> {
    const row = await writer.only(lastRow);
    await writer.run(`DELETE FROM audit_events WHERE sequence = ${row.sequence}`);
    await writer.insert("audit_events", rehashed({ ...row, entity: "harmless" }, String(row.previous_hash)));
  }
  beforeEach(async () => {
    for (const name of ["later", "last"])
      await broker.call("POST", "/v1/tokens", { body: { name, scopes: ["builds:read"] } });
  });

  it.each([
    ["taken away", () => writer.run("DELETE FROM audit_events WHERE sequence = 7"), "removed"],
    ["changed", () => writer.run(change(7)), "edited"],
    ["changed as the last one", () => writer.run(change(8)), "edited"],
    ["changed as the last one, with the hash of that", replaceLast, "out_of_chain"],
  ])(
    "is missed by verify for ever when it is %s: what follows proves what it said",
    async (_how, forge, kind) => {
      await forge();
      await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
      for (const _ of [1, 2]) {
        expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind } });
        await broker.restart();
      }
    },
  );

  it("is missed as the last one while the process runs that wrote it", async () => {
    await writer.run("DELETE FROM audit_events WHERE sequence = 8");
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
    expect([made.status, made.text]).toEqual([503, expect.stringContaining("a row is missing")]);
  });

  const standing = () => findStandingProblem(broker.running().deps);
  const writeOn = async (count: number) => {
    for (let written = 0; written < count; written++) await broker.call("GET", "/v1/audit/export");
  };
  const takeAway = (from: number) => () => writer.run(`DELETE FROM audit_events WHERE sequence >= ${from}`);
  it.each([
    ["it is taken away", takeAway(8), async () => undefined],
    ["it is taken away with the one before", takeAway(7), async () => undefined],
    ["it is taken away and this was noticed", takeAway(8), standing],
    [
      "others stand in its place until there are more",
      replaceLast,
      async () => {
        await writeOn(1);
        await writer.run("DELETE FROM audit_events WHERE sequence = 8");
      },
    ],
    [
      "it is put back where the next was written",
      takeAway(8),
      async (row: StoreRow) => {
        await writeOn(1);
        await takeAway(8)();
        await writer.insert("audit_events", row);
      },
    ],
  ])("is missed for as long, whatever is written next, when %s", async (_how, forge, goOn) => {
    const row = await writer.only(lastRow);
    await forge();
    await goOn(row);
    for (const _ of [1, 2]) {
      await writeOn(1);
      expect(await standing()).toMatchObject({ kind: "removed" });
      expect((await broker.call("GET", "/v1/audit/head")).status).toBe(503);
    }
    expect(await verify()).toMatchObject({ verdict: "broken" });
    expect((await broker.call("POST", "/v1/audit/accept-head")).status).toBe(200);
    await writeOn(3);
    expect(await standing()).toBeUndefined();
  });

  it("is missed no longer once that is accepted, also when more are written than were taken away", async () => {
    expect(await standing()).toBeUndefined();
    await takeAway(7)();
    expect((await broker.call("POST", "/v1/audit/accept-head")).status).toBe(200);
    await writeOn(3);
    expect(await standing()).toBeUndefined();
    await writer.run(`DELETE FROM audit_events WHERE sequence = (SELECT max(sequence) FROM audit_events)`);
    await writeOn(1);
    expect(await standing()).toMatchObject({ kind: "removed" });
  });

  const nothing = async (): Promise<unknown> => undefined;
  const second = async (): Promise<unknown> => [await writeOn(1), await takeAway(8)()];
  const view = () => writer.run("CREATE VIEW hush AS SELECT 1");
  it.each([
    ["a signing key that is refused", insertOwnKey, nothing, [8]],
    ["a view in the file", view, () => writer.run("DROP VIEW hush"), [8]],
    ["a row behind the end", append, nothing, [8]],
    ["a second one", second, nothing, [8, 8]],
  ])("is named by all that tells and accepts, also with %s", async (_how, forge, undo, missingRows) => {
    await takeAway(8)();
    await forge({});
    const problem = { kind: "removed", sequence: 8 };
    expect(await standing()).toMatchObject(problem);
    expect((await broker.call("GET", "/health/ready", { token: null })).text).toContain("a row is missing");
    const warnings = [expect.stringContaining(`are gone (${missingRows.join(", ")})`)];
    expect(await verify()).toMatchObject({ verdict: "broken", warnings: expect.arrayContaining(warnings) });
    await undo();
    const told = { missingRows, missingRowCount: missingRows.length };
    const accepted = await broker.call("POST", "/v1/audit/accept-head");
    expect([accepted.status, accepted.body]).toMatchObject([200, { problem, ...told }]);
    const { body } = await broker.call("GET", "/v1/audit?action=audit.head_accepted");
    expect(body).toMatchObject({ events: [{ details: { problem, ...told } }] });
    expect(await standing()).toBeUndefined();
  });
});

describe("what a store writer builds into the file", () => {
  it.each(shapes)("is found at once: %s", async (_title, forge, undo) => {
    buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
    const token = await broker.createBuildToken(buildId);
    await writer.run(forge);
    const before = await countHeads();
    const envRows = () => writer.only("SELECT count(*) AS count FROM audit_events WHERE action LIKE 'env%'");
    const readBefore = await envRows();
    const env = await broker.call("GET", `/v1/builds/${buildId}/env`, { token });
    const isWritten = Number((await envRows()).count) > Number(readBefore.count);
    expect([env.status, isWritten]).toEqual(forge.includes("'env%'") ? [503, false] : [200, true]);
    expect((await broker.call("GET", "/v1/audit/head")).status).toBe(503);
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
    expect([made.status, made.text]).toEqual([503, expect.stringMatching(/audit_degraded.*hush/)]);
    expect((await broker.call("GET", "/health/ready", { token: null })).text).toContain("hush");
    const problem = { kind: "shape", sequence: 0, message: expect.stringContaining("hush") };
    expect(await verify()).toMatchObject({ verdict: "broken", problem });
    const accepted = await broker.call("POST", "/v1/audit/accept-head");
    expect([accepted.status, accepted.text]).toEqual([409, expect.stringContaining("DROP TRIGGER")]);
    await broker.restart();
    expect(await verify()).toMatchObject({ verdict: "broken", problem });
    expect(await countHeads()).toEqual(before);
    await writer.run(undo);
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored" });
    expect((await broker.call("GET", `/v1/builds/${buildId}/env`, { token })).status).toBe(200);
  });

  it("is found by verify when it is an index that hides rows", async () => {
    const { entity } = await writer.only("SELECT entity FROM audit_events WHERE action = 'token.created'");
    await falsifyIndex(String(entity));
    const problem = { kind: "shape", message: expect.stringContaining("index") };
    expect(await verify()).toMatchObject({ verdict: "broken", problem });
    await writer.run("REINDEX");
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored" });
  });
});

describe("what a store writer leaves in the broker's memory alone", () => {
  /** The broker parses the trigger, then its text goes and the engine's number of the shape stays. */
  async function plant(statement: string): Promise<void> {
    await writer.run(statement);
    await broker.call("GET", `/v1/builds/${buildId}`);
    await broker.call("GET", "/v1/builds");
    await writer.run("DELETE FROM sqlite_master WHERE name = 'hush'");
  }
  beforeEach(async () => {
    buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  });

  it("takes no row of an env read away", async () => {
    const token = await broker.createBuildToken(buildId);
    const action = "DELETE FROM audit_events WHERE sequence = NEW.sequence";
    await plant(trigger("AFTER INSERT ON audit_events WHEN NEW.action = 'env.read'", action));
    for (const _ of [1, 2])
      expect((await broker.call("GET", `/v1/builds/${buildId}/env`, { token })).status).toBe(200);
    expect(await writer.only("SELECT count(*) AS count FROM audit_events WHERE action = 'env.read'")).toEqual(
      {
        count: 2,
      },
    );
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored" });
  });

  it("undoes no revoke", async () => {
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "x", scopes: ["builds:read"] } });
    const { id, token } = made.body as { id: string; token: string };
    const action = "UPDATE tokens SET revoked_at = NULL WHERE id = NEW.id";
    await plant(trigger("AFTER UPDATE OF revoked_at ON tokens", action));
    expect((await broker.call("DELETE", `/v1/tokens/${id}`)).status).toBe(204);
    expect((await broker.call("GET", "/v1/builds", { token })).status).toBe(401);
  });
});

describe("rows after the newest head", () => {
  it("get their head when it is overdue, whatever the schedule says", async () => {
    await broker.call("POST", "/v1/tokens", { body: { name: "later", scopes: ["builds:read"] } });
    broker.advance(11 * 60_000);
    const before = await countHeads();
    expect((await broker.call("GET", "/health/ready", { token: null })).body).toMatchObject({ status: "ok" });
    expect(await countHeads()).toEqual({ count: Number(before.count) + 1 });
  });

  it("get the first head in time too, whatever time they have themselves", async () => {
    const fresh = await createTestBroker({ emulators: [] });
    try {
      const day = 86_400_000;
      fresh.advance(day);
      await fresh.call("POST", "/v1/tokens", { body: { name: "ahead", scopes: ["builds:read"] } });
      fresh.advance(11 * 60_000 - day);
      await fresh.call("GET", "/health/ready", { token: null });
      expect(await fresh.running().deps.store.read.auditHeads.findLatest()).toMatchObject({ sequence: 1 });
    } finally {
      await fresh.close();
    }
  });

  it("get none, however overdue, while the store is not what was signed", async () => {
    await writer.run("DELETE FROM audit_heads");
    broker.advance(11 * 60_000);
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind: "heads_missing" } });
    expect((await broker.call("GET", "/v1/audit/head")).status).toBe(503);
    expect(await countHeads()).toEqual({ count: 0 });
  });

  it("are a problem when none can be signed for long", async () => {
    const { deps } = broker.running();
    await broker.call("POST", "/v1/tokens", { body: { name: "later", scopes: ["builds:read"] } });
    const failing = {
      ...deps,
      signer: { ...deps.signer, sign: async () => Promise.reject(new Error("no signature")) },
    };
    expect(await findStandingProblem(failing)).toBeUndefined();
    broker.advance(11 * 60_000);
    expect(await findStandingProblem(failing)).toMatchObject({ kind: "head_overdue", sequence: 7 });
  });
});

describe("what a store writer signed", () => {
  it("is no receipt: the broker does not list it, and no key that it shows proves it", async () => {
    buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
    const kid = await insertOwnKey();
    const content = {
      transferId: "trf_00000000000000000000",
      buildId,
      connector: "turso",
      kind: "database",
      from: { database: "a" },
      to: { account: "b" },
      startedAt: "2026-11-20T12:00:00.000Z",
      provenAt: "2026-11-20T12:00:00.000Z",
      proof: "equal",
      database: { schemaSha256: "ab".repeat(32), rows: 0, tables: [] },
    };
    const receipt = await writer.sign(kid, receiptType, content);
    await writer.insert("transfers", {
      id: content.transferId,
      build_id: buildId,
      connector_id: "turso",
      kind: "database",
      state: "copied",
      lease_id: "lse_1",
      user_key_id: "usr_1",
      overwrite: 0,
      receipt,
      started_by: "admin:admin",
      created_at: 1,
    });
    const listed = await broker.call("GET", `/v1/builds/${buildId}/transfers/receipts`);
    expect([listed.status, listed.body]).toEqual([200, { receipts: [] }]);
    const { keys } = (await broker.call("GET", "/v1/signing-keys", { token: null })).body as SigningKeys;
    expect(keys.map((key) => key.kid)).not.toContain(kid);
    expect(verifyReceipt(receipt, keys)).toBeUndefined();
  });
});

describe("a store that is restored completely", () => {
  /** The count and the signed keys of now, put back later by somebody who kept them. */
  const older = async () => ({
    state: String((await writer.only("SELECT audit_state FROM organizations")).audit_state),
  });

  it("is consistent in itself: only a head from outside tells of what it lost", async () => {
    const kept = join(broker.dataDirectory, "..", "older.db");
    await broker.running().deps.store.copyTo(kept);
    const later = await signedHead("c");
    await broker.putBack(kept);
    expect(await verify()).toMatchObject({ verdict: "self_consistent" });
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored", through: 6 });
    expect(await verify(later.signed)).toMatchObject({ verdict: "broken", problem: { kind: "removed" } });
  });

  it("with an older count put back beside the cut is told while this process runs, and later from outside", async () => {
    const { state } = await older();
    const later = await signedHead("c");
    await writer.run(
      `UPDATE organizations SET audit_state = '${state}'`,
      "DELETE FROM audit_heads WHERE sequence > 6",
      "DELETE FROM audit_events WHERE sequence > 6",
    );
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind: "removed" } });
    await broker.restart();
    expect(await verify()).toMatchObject({ verdict: "self_consistent" });
    expect(await verify(later.signed)).toMatchObject({ verdict: "broken", problem: { kind: "removed" } });
  });

  it("with an older count and all of its rows is told by its own heads", async () => {
    const { state } = await older();
    await signedHead("c");
    await writer.run(`UPDATE organizations SET audit_state = '${state}'`);
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind: "count" } });
  });

  it("with an older count, its heads cut and its rows kept is told by a head from outside", async () => {
    const { state } = await older();
    const later = await signedHead("c");
    await writer.run(
      `UPDATE organizations SET audit_state = '${state}'`,
      "DELETE FROM audit_heads WHERE sequence > 6",
    );
    expect(await verify(later.signed)).toMatchObject({
      verdict: "broken",
      problem: { kind: "heads_missing" },
    });
  });
});

describe("a store with another org", () => {
  const insertOrg = (id = "org_older") =>
    writer.run(
      `INSERT INTO organizations (id, name, created_at, audit_state) SELECT '${id}', 'another', created_at - 1, audit_state FROM organizations`,
    );
  /** Copies of the org's two data keys, with a change. */
  const insertKeys = (change: string) =>
    writer.run(
      "INSERT INTO data_keys (id, owner_id, kid, wrapped, created_at) SELECT 'older' || id, replace(owner_id, organization, 'org_older'), kid, wrapped, created_at FROM data_keys JOIN (SELECT min(id) AS organization FROM organizations WHERE name = 'default') ON owner_id IN (organization, 'fingerprint:' || organization)",
      `UPDATE data_keys SET ${change} WHERE id LIKE 'older%'`,
    );
  it.each([
    ["has no data key", () => insertOrg()],
    ["has copies of its data keys", () => insertOrg().then(() => insertKeys("kid = kid"))],
    ["has data keys that are no text", () => insertOrg().then(() => insertKeys("wrapped = x'00ff'"))],
    [
      "is the same as bytes",
      () =>
        writer.run(
          "INSERT INTO data_keys SELECT CAST(id AS BLOB), CAST(owner_id AS BLOB), kid, wrapped, created_at FROM data_keys",
          "INSERT INTO organizations SELECT CAST(id AS BLOB), 'another', created_at - 1, audit_state FROM organizations",
        ),
    ],
    ["is a build", async () => insertOrg((await broker.createBuild({ connectors: ["app-secrets"] })).id)],
    [
      "is the owner of its fingerprints",
      () => insertOrg(`fingerprint:${broker.running().deps.organizationId}`),
    ],
  ])("starts with its own where the other %s", async (_what, forge) => {
    const { organizationId } = broker.running().deps;
    await forge();
    await broker.restart();
    expect(broker.running().deps.organizationId).toBe(organizationId);
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored" });
    const named = { all: true, confirm: "default" };
    expect((await broker.call("POST", "/v1/leases/revoke", { body: named })).status).toBe(202);
  });

  it("does not start where the root key opens the data keys of both", async () => {
    const { deps } = broker.running();
    for (const owner of ["org_older", "fingerprint:org_older"])
      await deps.store.write([], (tables) => tables.dataKeys.insert(createOwnerKey(deps, owner).row));
    await insertOrg();
    await expect(broker.restart()).rejects.toThrow(/more than one org.*org_older.*restore/);
    await writer.run("DELETE FROM organizations WHERE id = 'org_older'");
    await broker.restart();
    expect(await verify(heads[1].signed)).toMatchObject({ verdict: "anchored" });
  });
});

describe("a store without its org", () => {
  it("does not start as a new one with an empty audit", async () => {
    await writer.run(...empty, "DELETE FROM signing_keys", "DELETE FROM organizations");
    await expect(broker.restart()).rejects.toThrow(/restore it from a backup/);
  });
});

describe("the promise of the org's data key", () => {
  it("cannot be taken back: without it the key does not open, and no broker starts", async () => {
    const { organizationId } = broker.running().deps;
    await writer.run(
      ...empty,
      "DELETE FROM signing_keys",
      "UPDATE organizations SET audit_state = NULL",
      `UPDATE data_keys SET wrapped = replace(wrapped, 'v2.', 'v1.') WHERE owner_id = '${organizationId}'`,
    );
    await expect(broker.restart()).rejects.toMatchObject({ code: "cannot_open" });
  });
});

describe("heads from outside that are not this broker's", () => {
  it("are refused, those of another org in the same store too", async () => {
    const { deps } = broker.running();
    const other = createOwnerKey(deps, "org_other");
    await deps.store.write([], (tables) => tables.dataKeys.insert(other.row));
    const forger = createSigner({ ...deps, organizationId: "org_other" });
    const { sequence, hash, at } = heads[1];
    const payload = { sequence, hash, at: Date.parse(at), counter: 2 };
    const foreign = [
      await forger.sign(auditHeadType, payload),
      await writer.sign(String((await genuineKey()).id), auditHeadType, payload),
      await deps.signer.sign(receiptType, payload),
      "aaaa.bbbb.cccc",
      "",
    ];
    for (const head of foreign) {
      expect(await verify(head)).toMatchObject({
        verdict: "broken",
        problem: { kind: "signature", sequence: 0 },
      });
      const accepted = await broker.call("POST", "/v1/audit/accept-head", { body: { head } });
      expect(accepted.status).toBe(409);
    }
    expect(await verify()).toMatchObject({ verdict: "self_consistent" });
  });
});
