import type { AuditList, ErrorEnvelope } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "../testing/create-test-broker.ts";

let broker: TestBroker;
let buildId: string;
let token: string;

beforeAll(async () => {
  broker = await createTestBroker();
  await broker.putOrgKeys();
  buildId = (await broker.createBuild({ profile: "next" })).id;
  token = await broker.createBuildToken(buildId, { ttlSeconds: 3600 });
});
afterAll(() => broker.close());

const read = (query = "", by = token) =>
  broker.call("GET", `/v1/builds/${buildId}/env${query}`, { token: by });
const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;

describe("GET /v1/builds/{id}/env", () => {
  it("gives a flat object with every declared name, never to be cached", async () => {
    const answer = await read();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(Object.keys(answer.body as object)).toEqual(
      expect.arrayContaining([
        "TURSO_DATABASE_URL",
        "TURSO_AUTH_TOKEN",
        "R2_ENDPOINT",
        "R2_BUCKET",
        "R2_PREFIX",
        "R2_USER_PREFIX",
        "R2_ACCESS_KEY_ID",
        "R2_SECRET_ACCESS_KEY",
        "R2_SESSION_TOKEN",
        "CLERK_SECRET_KEY",
        "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
        "STRIPE_SECRET_KEY",
        "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY",
        "STRIPE_PRICE_ID",
        "JWT_SECRET",
        "CHECKOUT_TOKEN_SECRET",
      ]),
    );
  });

  it("gives secrets of the documented sizes, and other ones to every build", async () => {
    const env = await broker.readEnv(buildId, token);
    expect(env.JWT_SECRET).toMatch(/^[0-9a-f]{64}$/);
    expect(env.CHECKOUT_TOKEN_SECRET).toMatch(/^[0-9a-f]{48}$/);
    const other = await broker.createBuild();
    const otherEnv = await broker.readEnv(other.id);
    expect(otherEnv.JWT_SECRET).not.toBe(env.JWT_SECRET);
    expect(otherEnv.TURSO_DATABASE_URL).not.toBe(env.TURSO_DATABASE_URL);
  });

  it.each([
    ["dotenv", /^TURSO_DATABASE_URL=/m],
    ["shell", /^export TURSO_DATABASE_URL=/m],
    ["docker", /^TURSO_DATABASE_URL=/m],
    ["github", /^TURSO_DATABASE_URL<<keyloan_/m],
    ["kubernetes&name=todo-app", /^ {2}name: "todo-app"\n[\s\S]*^ {2}"TURSO_DATABASE_URL": "/m],
    ["systemd", /^TURSO_DATABASE_URL="/m],
  ])("writes %s", async (format, pattern) => {
    const answer = await read(`?format=${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(answer.text).toMatch(pattern);
  });

  it.each([
    ["plain", "CLERK_PUBLISHABLE_KEY"],
    ["next", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"],
    ["vite", "VITE_CLERK_PUBLISHABLE_KEY"],
    ["expo", "EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY"],
  ])("names what browsers see for the %s profile", async (profile, name) => {
    expect((await read(`?profile=${profile}`)).body).toHaveProperty([name]);
  });

  it("writes the AWS names when asked, and only then", async () => {
    expect((await read()).body).not.toHaveProperty("AWS_ACCESS_KEY_ID");
    const env = (await read("?copies=aws")).body as Record<string, string>;
    expect(env.AWS_ACCESS_KEY_ID).toBe(env.R2_ACCESS_KEY_ID);
    expect(env.AWS_SESSION_TOKEN).toBe(env.R2_SESSION_TOKEN);
    expect(env.AWS_REGION).toBe("auto");
    expect(env.AWS_DEFAULT_REGION).toBe("auto");
  });

  it("is audited by names, who and request, and never by a value", async () => {
    await read("?profile=vite");
    const { events } = (await broker.call("GET", `/v1/audit?entity=${buildId}&action=env.read&limit=1`))
      .body as AuditList;
    expect(events).toMatchObject([
      {
        actor: expect.stringMatching(/^workload:tok_/),
        requestId: expect.any(String),
        details: { names: expect.any(Array) },
      },
    ]);
    expect(events[0]?.details.names).toContain("VITE_CLERK_PUBLISHABLE_KEY");
    const env = await broker.readEnv(buildId);
    const text = JSON.stringify(events);
    const secret = Object.entries(env).filter(([name]) => /SECRET|TOKEN/.test(name));
    expect(secret.filter(([, value]) => text.includes(value))).toEqual([]);
  });

  it("works once with a single-use token, however many ask at once", async () => {
    const once = await broker.createBuildToken(buildId, { singleUse: true });
    const statuses = (await Promise.all(Array.from({ length: 6 }, () => read("", once)))).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([200, 401, 401, 401, 401, 401]);
    expect(error(await read("", once))).toMatchObject({
      code: "unauthenticated",
      remedy: expect.any(String),
    });
  });

  it("refuses the token of another build without telling whether the build exists", async () => {
    const other = await broker.createBuild({ connectors: ["app-secrets"] });
    const foreign = await broker.createBuildToken(other.id);
    expect((await read("", foreign)).status).toBe(403);
    const nowhere = await broker.call("GET", "/v1/builds/bld_00000000000000000000/env", { token: foreign });
    expect(nowhere.status).toBe(403);
  });

  it("refuses an expired token with a code of its own", async () => {
    const short = await broker.createBuildToken(buildId, { ttlSeconds: 1 });
    broker.advance(2_000);
    const answer = await read("", short);
    expect([answer.status, error(answer).code]).toEqual([401, "token_expired"]);
  });

  it("answers nothing when its audit row cannot be written, and readiness says so", async () => {
    const { store } = broker.running().deps;
    const { appendAudit } = store;
    Object.assign(store, { appendAudit: () => Promise.reject(new Error("disk full")) });
    try {
      broker.advance(60_000);
      const answer = await read();
      expect([answer.status, error(answer).code]).toEqual([503, "unavailable"]);
      const ready = await broker.call("GET", "/health/ready", { token: null });
      expect(ready.status).toBe(503);
      expect(ready.body).toMatchObject({
        parts: expect.arrayContaining([{ name: "audit", ok: false, message: expect.any(String) }]),
      });
    } finally {
      Object.assign(store, { appendAudit });
    }
    expect((await read()).status).toBe(200);
  });
});
