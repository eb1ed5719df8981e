import type {
  AuditExportLine,
  AuditHead,
  AuditMatch,
  AuditMatches,
  AuditVerification,
} from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOwnerKey } from "../sealing/data-key.ts";
import { createSigner } from "../signing.ts";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { createStoreWriter } from "../testing/store-writer.ts";

let broker: TestBroker;

async function tamper(...statements: string[]): Promise<void> {
  await (await createStoreWriter(broker.dataDirectory)).run(...statements);
}
async function readHead(): Promise<AuditHead> {
  return (await broker.call("GET", "/v1/audit/head")).body as AuditHead;
}
async function verify(body: { head?: string } = {}): Promise<AuditVerification> {
  const answer = await broker.call("POST", "/v1/audit/verify", { body });
  expect(answer.status).toBe(200);
  return answer.body as AuditVerification;
}

describe("the proof of the audit", () => {
  beforeEach(async () => {
    broker = await createTestBroker({ emulators: [], connectors: [] });
    for (const name of ["a", "b", "c", "d"])
      await broker.call("POST", "/v1/tokens", { body: { name, scopes: ["builds:read"] } });
  });
  afterEach(() => broker.close());

  it("finds nothing wrong with what nobody touched, also after a restart", async () => {
    const before = await readHead();
    expect(await verify()).toMatchObject({ verdict: "self_consistent", rows: 5, heads: 1 });
    expect(await verify({ head: before.signed })).toMatchObject({
      verdict: "anchored",
      through: 5,
      anchors: [{ by: "head", sequence: 5 }],
    });
    await broker.restart();
    const after = await verify({ head: before.signed });
    expect(after).toMatchObject({ verdict: "anchored", through: 5, heads: 2 });
    expect(broker.logs.join("\n")).toContain(before.signed);
  });

  it.each([
    ["an edited row", "UPDATE audit_events SET entity = 'other' WHERE sequence = 2", 2, "edited"],
    ["a removed row", "DELETE FROM audit_events WHERE sequence = 2", 2, "removed"],
    ["a head that was changed", "UPDATE audit_heads SET hash = 'ab'", 5, "signature"],
    ["a head that was moved", "UPDATE audit_heads SET sequence = 3", 3, "signature"],
  ])("finds %s", async (_what, statement, sequence, kind) => {
    await readHead();
    await tamper(statement);
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { sequence, kind } });
  });

  it("finds a renumbered row, and while the process that wrote it runs, that it is missing", async () => {
    await readHead();
    await tamper("UPDATE audit_events SET sequence = 90 WHERE sequence = 5");
    expect(await verify()).toMatchObject({ problem: { sequence: 5, kind: "removed" } });
    await broker.restart();
    expect(await verify()).toMatchObject({
      verdict: "broken",
      problem: { sequence: 90, kind: "reordered" },
    });
  });

  it("finds a chain that was written anew from a row on, by the head that was signed before", async () => {
    const { store } = broker.running().deps;
    await readHead();
    const [row] = await store.read.auditEvents.pageAfter(4, 1);
    if (row === undefined) throw new Error("there are five rows");
    await tamper("DELETE FROM audit_events WHERE sequence = 5");
    await store.appendAudit([{ ...row, entity: "other" }]);
    expect(await verify()).toMatchObject({
      verdict: "broken",
      problem: { sequence: 5, kind: "head_mismatch" },
    });
  });

  it("finds a cut end by a head in the store, by the count of heads, and by a head kept elsewhere", async () => {
    const head = await readHead();
    await tamper("DELETE FROM audit_events WHERE sequence > 3");
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { sequence: 4, kind: "removed" } });
    await tamper("DELETE FROM audit_heads", "DELETE FROM audit_events WHERE sequence > 3");
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { kind: "heads_missing" } });
    const found = await verify({ head: head.signed });
    expect(found).toMatchObject({ verdict: "broken", problem: { kind: "heads_missing" } });
  });

  it("finds a head that somebody else signed", async () => {
    const { deps } = broker.running();
    const head = await readHead();
    const other = createOwnerKey(deps, "org_other");
    await deps.store.write([], (tables) => tables.dataKeys.insert(other.row));
    const forger = createSigner({ ...deps, organizationId: "org_other" });
    const { sequence, hash } = head;
    const forged = await forger.sign("keyloan-audit-head", { sequence, hash, at: Date.parse(head.at) });
    expect(await verify({ head: forged })).toMatchObject({
      verdict: "broken",
      problem: { kind: "signature" },
    });
    await tamper(`UPDATE audit_heads SET signed = '${forged}'`);
    expect(await verify()).toMatchObject({ verdict: "broken", problem: { sequence, kind: "signature" } });
  });

  it("takes no receipt or other signed text for a head", async () => {
    const { sequence, hash } = await readHead();
    const receipt = await broker.running().deps.signer.sign("receipt", { sequence, hash, at: 1 });
    expect(await verify({ head: receipt })).toMatchObject({ problem: { kind: "signature" } });
  });

  it("tells the log when what was signed has changed, without being asked", async () => {
    await readHead();
    await tamper("UPDATE audit_events SET hash = 'ab' WHERE sequence = 5");
    await readHead();
    expect(broker.logs.join("\n")).toContain("the audit differs from what was signed");
  });

  it("lets other requests go on while it reads", async () => {
    const { store, now, randomBytes } = broker.running().deps;
    const row = (index: number) => ({
      id: `evt_${index}`,
      at: now(),
      actor: "system:test",
      action: "test",
      entity: randomBytes(4).join(""),
      details: "{}",
      requestId: null,
    });
    await store.appendAudit(Array.from({ length: 20_000 }, (_, index) => row(index)));
    let answered = 0;
    const verified = verify().then((result) => ({ result, answered }));
    while (answered < 3) {
      await broker.call("GET", "/health", { token: null });
      answered += 1;
    }
    const done = await verified;
    expect(done.result).toMatchObject({ verdict: "self_consistent", rows: 20_004 });
    expect(done.answered).toBeGreaterThan(0);
  });

  it("exports every row oldest first with its hash, and from a row on", async () => {
    const answer = await broker.call("GET", "/v1/audit/export");
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as AuditExportLine);
    expect(lines.map(({ sequence, action }) => [sequence, action])).toEqual([
      [1, "token.created"],
      [2, "token.created"],
      [3, "token.created"],
      [4, "token.created"],
      [5, "audit.exported"],
    ]);
    expect(lines.slice(1).map(({ previousHash }) => previousHash)).toEqual(
      lines.slice(0, -1).map(({ hash }) => hash),
    );
    const rest = await broker.call("GET", "/v1/audit/export?after=4");
    expect(rest.text.trimEnd().split("\n")).toHaveLength(2);
    expect((await broker.call("GET", "/v1/audit/export?after=x")).status).toBe(422);
  });
});

describe("POST /v1/audit/matches", () => {
  let env: Record<string, string>;
  let buildId: string;
  let token: string;

  beforeAll(async () => {
    broker = await createTestBroker({ emulators: ["turso", "stripe"] });
    await broker.putOrgKeys();
    const connectors = ["turso", { id: "stripe", options: {} }, "app-secrets"];
    buildId = (await broker.createBuild({ name: "leaky", connectors })).id;
    token = await broker.createBuildToken(buildId);
    env = await broker.readEnv(buildId, token);
  });
  afterAll(() => broker.close());

  async function ask(...values: string[]): Promise<readonly AuditMatch[]> {
    const answer = await broker.call("POST", "/v1/audit/matches", { body: { values } });
    expect(answer.status).toBe(200);
    for (const value of values) expect(answer.text).not.toContain(value);
    return (answer.body as AuditMatches).matches;
  }
  const value = (name: string) => env[name] ?? "";

  it("tells which build a lent value belongs to, who fetched it and when, and that it lives", async () => {
    const [match, ...more] = await ask("nothing of ours", value("TURSO_AUTH_TOKEN"));
    expect(more).toEqual([]);
    expect(match).toMatchObject({
      index: 1,
      what: "lease",
      variable: "TURSO_AUTH_TOKEN",
      buildId,
      buildName: "leaky",
      connector: "turso",
      state: "active",
      alive: true,
      readers: { count: 1, latest: [{ action: "env.read", actor: expect.stringMatching(/^workload:tok_/) }] },
    });
  });

  it("tells which org key a value was put as, and which builds live on it", async () => {
    const field = broker.emulators.get("stripe")?.orgFields ?? {};
    const found = await ask(...Object.values(field));
    expect(found).toContainEqual(
      expect.objectContaining({
        what: "org_key",
        connector: "stripe",
        version: 1,
        alive: true,
        builds: { count: 1, ids: [buildId] },
      }),
    );
  });

  it("tells tokens of ours by their hash, with what a build's token fetched", async () => {
    const [build, admin] = await ask(token, broker.adminToken);
    expect(build).toMatchObject({ what: "token", kind: "build", buildId, alive: true, uses: { count: 1 } });
    expect(admin).toMatchObject({ what: "token", kind: "admin", alive: true });
  });

  it("ends a leaked token of a build at once by its id", async () => {
    const leaked = await broker.createBuildToken(buildId);
    const [match] = await ask(leaked);
    if (match?.what !== "token") throw new Error("it is a token");
    expect((await broker.call("DELETE", `/v1/tokens/${match.tokenId}`)).status).toBe(204);
    expect((await broker.call("GET", `/v1/builds/${buildId}/env`, { token: leaked })).status).toBe(401);
    expect(await ask(leaked)).toMatchObject([{ alive: false }]);
  });

  it("knows a value after its build has ended, as dead", async () => {
    const build = await broker.createBuild({ name: "gone", connectors: ["app-secrets"] });
    const [name = "", secret = ""] =
      Object.entries(await broker.readEnv(build.id)).find(([, text]) => text.length > 30) ?? [];
    await broker.call("DELETE", `/v1/builds/${build.id}`);
    expect(await ask(secret)).toMatchObject([{ variable: name, buildId: build.id, alive: false }]);
  });

  it("refuses too many values and too long ones without repeating them", async () => {
    const many = Array.from({ length: 501 }, (_, index) => `canary-${index}`);
    const answers = [
      await broker.call("POST", "/v1/audit/matches", { body: { values: many } }),
      await broker.call("POST", "/v1/audit/matches", { body: { values: ["canary-".repeat(2000)] } }),
      await broker.call("POST", "/v1/audit/matches", { body: { values: [] } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422]);
    expect(answers.map(({ text }) => text).join("")).not.toContain("canary-");
  });

  it("leaves what was asked in no log and no row", async () => {
    await ask("canary-asked-value", value("TURSO_AUTH_TOKEN"));
    const rows = await broker.running().deps.store.read.auditEvents.list({ limit: 200 });
    const written = JSON.stringify(rows) + broker.logs.join("\n");
    expect(written).not.toContain("canary-asked-value");
    expect(written).not.toContain(value("TURSO_AUTH_TOKEN"));
    expect(rows[0]).toMatchObject({ action: "audit.matched" });
  });
});
