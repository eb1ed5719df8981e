import { request } from "node:http";
import type { BuildList, ErrorEnvelope } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

let broker: TestBroker;
let buildId: string;

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["stripe"] });
  await broker.putOrgKeys();
  buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
});
afterAll(() => broker.close());

const error = (answer: { body: unknown }) => (answer.body as ErrorEnvelope).error;
const countBuilds = async () =>
  ((await broker.call("GET", "/v1/builds?limit=200")).body as BuildList).builds.length;

describe("a request that is wrong", () => {
  it.each<[string, string, string, { body?: unknown; headers?: Record<string, string> }, number, string]>([
    [
      "an unknown connector",
      "POST",
      "/v1/builds",
      { body: { name: "x", connectors: ["nope"] } },
      422,
      "unknown_connector",
    ],
    [
      "a malformed connector id",
      "POST",
      "/v1/builds",
      { body: { name: "x", connectors: ["../x"] } },
      422,
      "invalid_input",
    ],
    [
      "a connector listed twice",
      "POST",
      "/v1/builds",
      { body: { name: "x", connectors: ["app-secrets", "app-secrets"] } },
      422,
      "invalid_input",
    ],
    [
      "a connector without org key",
      "POST",
      "/v1/builds",
      { body: { name: "x", connectors: ["turso"] } },
      409,
      "org_key_missing",
    ],
    [
      "options nobody takes",
      "POST",
      "/v1/builds",
      { body: { name: "x", connectors: [{ id: "app-secrets", options: { a: 1 } }] } },
      422,
      "invalid_input",
    ],
    [
      "options of a wrong shape",
      "POST",
      "/v1/builds",
      { body: { name: "x", connectors: [{ id: "stripe", options: { prices: "many" } }] } },
      422,
      "invalid_input",
    ],
    ["a name with a path", "POST", "/v1/builds", { body: { name: "../../etc" } }, 422, "invalid_input"],
    ["a name with a wildcard", "POST", "/v1/builds", { body: { name: "app*" } }, 422, "invalid_input"],
    [
      "a name with a control character",
      "POST",
      "/v1/builds",
      { body: { name: "a\u001b[2J" } },
      422,
      "invalid_input",
    ],
    [
      "a name that is too long",
      "POST",
      "/v1/builds",
      { body: { name: "a".repeat(101) } },
      422,
      "invalid_input",
    ],
    ["no name", "POST", "/v1/builds", { body: {} }, 422, "invalid_input"],
    ["an unknown field", "POST", "/v1/builds", { body: { name: "x", owner: "me" } }, 422, "invalid_input"],
    [
      "a time to live that is too long",
      "POST",
      "/v1/builds",
      { body: { name: "x", ttlSeconds: 604_801 } },
      422,
      "invalid_input",
    ],
    [
      "a time to live that is no number",
      "POST",
      "/v1/builds",
      { body: { name: "x", ttlSeconds: "1h" } },
      422,
      "invalid_input",
    ],
    ["a wait that is too long", "POST", "/v1/builds?wait=61", { body: { name: "x" } }, 422, "invalid_input"],
    [
      "an idempotency key that is too long",
      "POST",
      "/v1/builds",
      { body: { name: "x" }, headers: { "idempotency-key": "k".repeat(201) } },
      422,
      "invalid_input",
    ],
    [
      "a body that is nested 20,000 deep",
      "POST",
      "/v1/builds",
      { body: `{"name":"x","connectors":${"[".repeat(20_000)}${"]".repeat(20_000)}}` },
      400,
      "malformed_request",
    ],
    [
      "a body whose names are what is nested",
      "POST",
      "/v1/builds",
      { body: `${'{"a":'.repeat(33)}1${"}".repeat(33)}` },
      400,
      "malformed_request",
    ],
    [
      "text that only looks nested",
      "POST",
      "/v1/builds",
      { body: JSON.stringify({ name: `\\"${"[{".repeat(40)}`, connectors: ["nope"] }) },
      422,
      "invalid_input",
    ],
    ["a body that is no JSON", "POST", "/v1/builds", { body: "{" }, 400, "malformed_request"],
    ["a body that is no object", "POST", "/v1/builds", { body: "[]" }, 422, "invalid_input"],
    [
      "another content type",
      "POST",
      "/v1/builds",
      { body: "name=x", headers: { "content-type": "text/plain" } },
      415,
      "unsupported_media_type",
    ],
    [
      "a form",
      "POST",
      "/v1/builds",
      { body: "name=x", headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
      "unsupported_media_type",
    ],
    [
      "an oversized body",
      "POST",
      "/v1/builds",
      { body: { name: "x".repeat(70_000) } },
      413,
      "payload_too_large",
    ],
    ["a malformed build id", "GET", "/v1/builds/bld_1", {}, 422, "invalid_input"],
    ["a build that does not exist", "GET", "/v1/builds/bld_00000000000000000000", {}, 404, "not_found"],
    ["an unknown query name", "GET", "/v1/builds?page=2", {}, 422, "invalid_input"],
    ["an unknown state", "GET", "/v1/builds?state=lost", {}, 422, "invalid_input"],
    ["a cursor of somebody else", "GET", "/v1/builds?cursor=bm9wZQ", {}, 422, "invalid_input"],
    ["an audit cursor of somebody else", "GET", "/v1/audit?cursor=WyJhIl0", {}, 422, "invalid_input"],
    ["a limit of nothing", "GET", "/v1/builds?limit=0", {}, 422, "invalid_input"],
    ["a route that does not exist", "GET", "/v2/builds", {}, 404, "not_found"],
    [
      "an unknown org key connector",
      "PUT",
      "/v1/org-keys/nope",
      { body: { fields: { a: "b" } } },
      422,
      "unknown_connector",
    ],
    [
      "an org key where none is needed",
      "PUT",
      "/v1/org-keys/app-secrets",
      { body: { fields: { a: "b" } } },
      422,
      "invalid_input",
    ],
    [
      "an org key of a wrong shape",
      "PUT",
      "/v1/org-keys/stripe",
      { body: { fields: { secretKey: "hello" } } },
      422,
      "key_rejected",
    ],
    [
      "an org key with an unknown field",
      "PUT",
      "/v1/org-keys/stripe",
      { body: { fields: { password: "hello" } } },
      422,
      "key_rejected",
    ],
    ["an org key that is not there", "GET", "/v1/org-keys/turso", {}, 404, "not_found"],
    [
      "a token without scopes",
      "POST",
      "/v1/tokens",
      { body: { name: "x", scopes: [] } },
      422,
      "invalid_input",
    ],
    [
      "a token with an unknown scope",
      "POST",
      "/v1/tokens",
      { body: { name: "x", scopes: ["root"] } },
      422,
      "invalid_input",
    ],
    ["a token that does not exist", "DELETE", "/v1/tokens/tok_00000000000000000000", {}, 404, "not_found"],
  ])(
    "with %s is refused with its code and a remedy, and makes nothing",
    async (_what, method, path, options, status, code) => {
      const before = await countBuilds();
      const answer = await broker.call(method, path, options);
      expect([answer.status, error(answer)?.code]).toEqual([status, code]);
      expect(error(answer).remedy).toMatch(/\w{3,}.*(?:[.!)]|https:\S+)$/);
      expect(await countBuilds()).toBe(before);
    },
  );

  it.each(["format=xml", "profile=svelte", "copies=gcp", "copies=../aws", "unknown=1"])(
    "for an env with %s is refused",
    async (query) => {
      const answer = await broker.call("GET", `/v1/builds/${buildId}/env?${query}`);
      expect([answer.status, error(answer).code]).toEqual([422, "invalid_input"]);
    },
  );

  it.each([{ ttlSeconds: 3601 }, { ttlSeconds: 0 }, { singleUse: "yes" }, { other: 1 }])(
    "for a build token with %j is refused",
    async (body) => {
      const answer = await broker.call("POST", `/v1/builds/${buildId}/tokens`, { body });
      expect(answer.status).toBe(422);
    },
  );

  it("is refused with 413 while it is still being sent in chunks", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        `${broker.url}/v1/builds`,
        {
          method: "POST",
          headers: { authorization: `Bearer ${broker.adminToken}`, "content-type": "application/json" },
        },
        (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode ?? 0);
        },
      );
      outgoing.on("error", reject);
      for (let index = 0; index < 20; index++) outgoing.write(" ".repeat(8_192));
      outgoing.end("{}");
    });
    expect(status).toBe(413);
  });

  it("never sees its values in the error", async () => {
    const answer = await broker.call("POST", "/v1/builds", {
      body: { name: "canary*value", extra: "canary-extra" },
    });
    expect(answer.text).not.toContain("canary*value");
    expect(answer.text).not.toContain("canary-extra");
  });
});

describe("a provider that fails while a key is put", () => {
  const fields = () => broker.emulators.get("stripe")?.orgFields ?? expect.fail();
  const put = () => broker.call("PUT", "/v1/org-keys/stripe", { body: { fields: fields() } });
  // A provider that limits the rate is left alone for so long: what comes after asks it again.
  const pauseSeconds = 7;
  afterEach(() => broker.advance(pauseSeconds * 1000));

  it.each([
    ["is down", { kind: "status", status: 503 }, 503, "unavailable"],
    ["cuts the line", { kind: "cut" }, 503, "unavailable"],
    [
      "limits the rate",
      { kind: "status", status: 429, headers: { "retry-after": String(pauseSeconds) } },
      503,
      "unavailable",
    ],
    ["lies with a page", { kind: "status", status: 200, body: "<html>marked</html>" }, 503, "unavailable"],
    ["refuses the key", { kind: "status", status: 401 }, 422, "key_rejected"],
  ] as const)("that %s keeps nothing and says what to do", async (_what, fault, status, code) => {
    const { faults } = broker.emulators.get("stripe") ?? expect.fail();
    const before = (await broker.call("GET", "/v1/org-keys/stripe")).body;
    faults.add(fault, 30);
    const answer = await put();
    faults.clear();
    expect([answer.status, error(answer).code]).toEqual([status, code]);
    expect(error(answer).remedy).toBeTruthy();
    expect(answer.text).not.toContain("marked");
    expect((await broker.call("GET", "/v1/org-keys/stripe")).body).toEqual(before);
  });

  it("that limits the rate is left alone for as long as it asked, and each caller is told how long", async () => {
    const { faults } = broker.emulators.get("stripe") ?? expect.fail();
    faults.add({ kind: "status", status: 429, headers: { "retry-after": String(pauseSeconds) } }, 30);
    await put();
    faults.clear();
    const held = await put();
    expect([held.status, error(held).code]).toEqual([503, "unavailable"]);
    expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(held.headers.get("retry-after"))).toBeLessThanOrEqual(pauseSeconds);
    broker.advance(pauseSeconds * 1000);
    expect((await put()).status).toBe(200);
  });
});

describe("rate limit", () => {
  it("answers 429 with the seconds to wait, to that caller alone", async () => {
    const limited = await createTestBroker({ emulators: [], config: { rateLimitPerSecond: 5 } });
    try {
      const answers = await Promise.all(Array.from({ length: 14 }, () => limited.call("GET", "/v1/builds")));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThanOrEqual(3);
      expect(refused[0]?.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
      expect(error(refused[0] ?? expect.fail())).toMatchObject({
        code: "rate_limited",
        remedy: expect.any(String),
      });
      expect((await limited.call("GET", "/health", { token: null })).status).toBe(200);
    } finally {
      await limited.close();
    }
  });
});
