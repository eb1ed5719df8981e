import type { BuildList, BuildView, ErrorEnvelope } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";
import { finishWork } from "../testing/finish-work.ts";
import { sweepExpired } from "../verbs/builds/sweep-expired.ts";

let broker: TestBroker;

beforeAll(async () => {
  broker = await createTestBroker();
  await broker.putOrgKeys();
});
afterAll(() => broker.close());

const build = (answer: { body: unknown }) => answer.body as BuildView;
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;

describe("POST /v1/builds", () => {
  it("answers 201 with every connector of the org ready, and no value", async () => {
    const answer = await broker.call("POST", "/v1/builds", { body: { name: "todo app", profile: "next" } });
    expect(answer.status).toBe(201);
    const view = build(answer);
    expect(view).toMatchObject({ name: "todo app", state: "ready", profile: "next" });
    expect(view.leases.map(({ connector, state, grade }) => [connector, state, grade])).toEqual([
      ["turso", "active", "B"],
      ["r2", "active", "C"],
      ["clerk", "active", "E"],
      ["stripe", "active", "E"],
      ["resend", "active", "C"],
      ["sentry", "active", "B"],
      ["app-secrets", "active", "B"],
    ]);
    const env = await broker.readEnv(view.id);
    const secret = Object.entries(env).filter(([name]) => /SECRET|TOKEN/.test(name));
    expect(secret.length).toBeGreaterThan(5);
    expect(secret.filter(([, value]) => answer.text.includes(value))).toEqual([]);
  });

  it("gives the connectors asked for alone", async () => {
    const view = await broker.createBuild({ connectors: ["app-secrets", "r2"] });
    expect(view.leases.map(({ connector }) => connector)).toEqual(["r2", "app-secrets"]);
  });

  it("answers 202 with the state so far when it may not wait", async () => {
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({ kind: "delay", ms: 400, method: "POST", path: /\/databases$/ });
    const answer = await broker.call("POST", "/v1/builds?wait=0", { body: { name: "slow" } });
    expect(answer.status).toBe(202);
    expect(build(answer).state).toBe("provisioning");
    await broker.running().deps.runner.settled(build(answer).id);
    expect(build(await broker.call("GET", `/v1/builds/${build(answer).id}`)).state).toBe("ready");
  });

  it("gives the same build for the same key and body, and 409 for another body", async () => {
    const headers = { "idempotency-key": "order-1" };
    const body = { name: "once", connectors: ["app-secrets"] };
    const first = await broker.call("POST", "/v1/builds", { body, headers });
    const second = await broker.call("POST", "/v1/builds", { body, headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(build(second).id).toBe(build(first).id);
    const other = await broker.call("POST", "/v1/builds", { body: { ...body, name: "twice" }, headers });
    expect(other.status).toBe(409);
    expect(error(other)).toMatchObject({ code: "idempotency_conflict", remedy: expect.any(String) });
  });

  it("makes one build of equal requests that arrive at once", async () => {
    const headers = { "idempotency-key": "race-1" };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => broker.call("POST", "/v1/builds", { body: { name: "race" }, headers })),
    );
    expect(new Set(answers.map((answer) => build(answer).id)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
  });

  it("keeps the idempotency keys of two callers apart", async () => {
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "ci", scopes: ["builds:write"] } });
    const { token } = made.body as { token: string };
    const headers = { "idempotency-key": "shared-name" };
    const body = { name: "mine", connectors: ["app-secrets"] };
    const admin = await broker.call("POST", "/v1/builds", { body, headers });
    const platform = await broker.call("POST", "/v1/builds", { body, headers, token });
    expect(build(admin).id).not.toBe(build(platform).id);
  });
});

describe("a connector that fails", () => {
  it("does not lose the others, and tells which, why and what to do", async () => {
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({
      kind: "status",
      status: 403,
      headers: { "x-request-id": "provider-request-7" },
      body: '{"error":"marked-provider-words"}',
      method: "POST",
      path: /\/databases$/,
    });
    const answer = await broker.call("POST", "/v1/builds", { body: { name: "partly" } });
    expect(answer.status).toBe(202);
    const failed = build(answer).leases.filter(({ state }) => state !== "active");
    expect(failed).toMatchObject([
      {
        connector: "turso",
        state: "requires_action",
        error: {
          provider: "turso",
          code: "forbidden",
          status: 403,
          retryable: false,
          remedy: expect.any(String),
        },
      },
    ]);
    expect(answer.text).not.toContain("marked-provider-words");
    const env = await broker.call("GET", `/v1/builds/${build(answer).id}/env`);
    expect(env.status).toBe(409);
    expect(error(env)).toMatchObject({
      code: "not_ready",
      details: { missing: [{ connector: "turso", state: "requires_action" }] },
    });
    faults.clear();
  });

  it("is tried again when the provider asks to wait, and succeeds within the same request", async () => {
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({
      kind: "status",
      status: 429,
      headers: { "retry-after": "1" },
      method: "POST",
      path: /\/databases$/,
    });
    faults.add({ kind: "status", status: 503, method: "POST", path: /\/databases$/ });
    faults.add({ kind: "cut", method: "POST", path: /\/databases$/ });
    const answer = await broker.call("POST", "/v1/builds", {
      body: { name: "patient", connectors: ["turso"] },
    });
    expect(answer.status).toBe(201);
    expect(build(answer).leases[0]?.attempts).toBe(4);
  });

  it("adopts what a cut create call made instead of making it twice", async () => {
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({ kind: "cut_after", method: "POST", path: /\/databases$/ });
    const view = await broker.createBuild({ connectors: ["turso"] });
    expect(view.state).toBe("ready");
    await broker.call("DELETE", `/v1/builds/${view.id}`);
  });
});

describe("GET /v1/builds", () => {
  it("pages through all builds, newest first, without gap or repetition", async () => {
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = (await broker.call("GET", `/v1/builds?limit=3${cursor}`)).body as BuildList;
      seen.push(...page.builds.map(({ id }) => id));
      cursor = page.nextCursor === undefined ? "" : `&cursor=${page.nextCursor}`;
    } while (cursor !== "");
    const all = (await broker.call("GET", "/v1/builds?limit=200")).body as BuildList;
    expect(seen).toEqual(all.builds.map(({ id }) => id));
    expect(seen.length).toBeGreaterThan(6);
    const times = all.builds.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted().toReversed());
  });
});

describe("DELETE /v1/builds/{id}", () => {
  it("ends every lease, shreds the data key and the tokens, and may be repeated", async () => {
    const { id } = await broker.createBuild();
    const token = await broker.createBuildToken(id);
    const first = await broker.call("DELETE", `/v1/builds/${id}`);
    expect(first.status).toBe(200);
    expect(build(first)).toMatchObject({ state: "closed", closedAt: expect.any(String) });
    expect(new Set(build(first).leases.map(({ state }) => state))).toEqual(new Set(["released"]));
    expect(await broker.running().deps.store.read.dataKeys.findByOwner(id)).toBeUndefined();
    expect((await broker.call("GET", `/v1/builds/${id}/env`, { token })).status).toBe(401);
    expect((await broker.call("GET", `/v1/builds/${id}/env`)).status).toBe(409);
    expect((await broker.call("POST", `/v1/builds/${id}/tokens`, { body: {} })).status).toBe(409);
    expect((await broker.call("POST", `/v1/builds/${id}/renew`, { body: {} })).status).toBe(409);
    const second = await broker.call("DELETE", `/v1/builds/${id}`);
    expect(second.status).toBe(200);
    expect(build(second)).toEqual(build(first));
  });

  it("says 202 while a provider cannot be asked, and goes on until the lease is released", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso", "app-secrets"] });
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({ kind: "delay", ms: 300 }, 1);
    const answer = await broker.call("DELETE", `/v1/builds/${id}?wait=0`);
    expect(answer.status).toBe(202);
    expect(build(answer).state).toBe("closing");
    await broker.running().deps.runner.settled(id);
    expect(build(await broker.call("GET", `/v1/builds/${id}`)).state).toBe("closed");
  });

  it("takes back what is still being issued when the build is closed", async () => {
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({ kind: "delay", ms: 300, method: "POST", path: /\/databases$/ });
    const { id } = build(
      await broker.call("POST", "/v1/builds?wait=0", { body: { name: "x", connectors: ["turso"] } }),
    );
    const closed = build(await broker.call("DELETE", `/v1/builds/${id}`));
    expect(closed.state).toBe("closed");
    const database = closed.leases[0]?.resource.database ?? "";
    const turso = broker.emulators.get("turso") ?? expect.fail();
    const { organization, token } = turso.orgFields;
    const found = await fetch(`${turso.baseUrl}/v1/organizations/${organization}/databases/${database}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(found.status).toBe(404);
  });
});

describe("POST /v1/builds/{id}/renew", () => {
  it("moves the expiry, mints anew what expires, and keeps what does not", async () => {
    const made = await broker.createBuild({ ttlSeconds: 600 });
    const before = await broker.readEnv(made.id);
    broker.advance(60_000);
    const answer = await broker.call("POST", `/v1/builds/${made.id}/renew`, { body: { ttlSeconds: 3600 } });
    expect(answer.status).toBe(200);
    const renewed = build(answer);
    expect(Date.parse(renewed.expiresAt)).toBeGreaterThan(Date.parse(made.expiresAt));
    expect(renewed.leases.map(({ expiresAt }) => expiresAt)).toEqual(
      renewed.leases.map(() => renewed.expiresAt),
    );
    const after = await broker.readEnv(made.id);
    expect(after.TURSO_AUTH_TOKEN).not.toBe(before.TURSO_AUTH_TOKEN);
    expect(after.R2_SESSION_TOKEN).not.toBe(before.R2_SESSION_TOKEN);
    expect(after.JWT_SECRET).toBe(before.JWT_SECRET);
    expect(after.TURSO_DATABASE_URL).toBe(before.TURSO_DATABASE_URL);
  });

  it("never leads past the renewable end, nor back", async () => {
    const made = await broker.createBuild({ connectors: ["app-secrets"], ttlSeconds: 604_800 });
    const shorter = await broker.call("POST", `/v1/builds/${made.id}/renew`, { body: { ttlSeconds: 60 } });
    expect(build(shorter).expiresAt).toBe(made.expiresAt);
  });

  it("changes nothing when one provider cannot renew", async () => {
    const made = await broker.createBuild({ connectors: ["turso", "r2"] });
    const before = await broker.readEnv(made.id);
    const { faults } = broker.emulators.get("turso") ?? expect.fail();
    faults.add({ kind: "status", status: 403, path: /\/auth\/tokens$/ });
    const answer = await broker.call("POST", `/v1/builds/${made.id}/renew`, {
      body: { ttlSeconds: 172_800 },
    });
    expect(answer.status).toBe(502);
    expect(error(answer)).toMatchObject({ code: "provider_failed", remedy: expect.any(String) });
    expect(await broker.readEnv(made.id)).toEqual(before);
    expect(build(await broker.call("GET", `/v1/builds/${made.id}`)).expiresAt).toBe(made.expiresAt);
  });
});

describe("expiry", () => {
  it("closes a build whose time is over", async () => {
    const { id } = await broker.createBuild({ ttlSeconds: 60 });
    const token = await broker.createBuildToken(id, { ttlSeconds: 3600 });
    broker.advance(61_000);
    const env = await broker.call("GET", `/v1/builds/${id}/env`, { token });
    expect(error(env)).toMatchObject({ code: "not_ready", details: { missing: expect.any(Array) } });
    await sweepExpired(broker.running().deps);
    await finishWork(broker.running().deps, id);
    expect(build(await broker.call("GET", `/v1/builds/${id}`)).state).toBe("closed");
  });
});
