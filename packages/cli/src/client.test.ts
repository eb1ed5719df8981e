import { createServer, type Server } from "node:http";
import { inspect } from "node:util";
import { version } from "@keyloan/contract/calls";
import { createClient, KeyloanError } from "@keyloan/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FakeBroker, type Fault, startFakeBroker } from "./testing/fake-broker.ts";
import { adminToken, apiToken, buildToken, sampleBuildId, sampleEnv } from "./testing/samples.ts";

let broker: FakeBroker;
beforeAll(async () => {
  broker = await startFakeBroker();
});
afterAll(() => broker.close());
beforeEach(() => {
  broker.seen.length = 0;
  broker.faults.length = 0;
});

const client = (token: string | undefined = adminToken, timeoutMs = 5000) =>
  createClient({ url: broker.url, token, timeoutMs, sleep: async () => undefined });
const errorOf = async (promise: Promise<unknown>): Promise<KeyloanError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KeyloanError)) throw new Error(`expected a KeyloanError, got ${inspect(error)}`);
  return error;
};
const answering =
  (status: number, body: string, headers: Record<string, string> = {}): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
const cutting: Fault = (_request, _response, incoming) => {
  incoming.socket.destroy();
  return true;
};

test("the version is that of the package", async () => {
  const { default: manifest } = await import("../package.json", { with: { type: "json" } });
  expect(version).toBe(manifest.version);
});

describe("calls", () => {
  test("a build is made, read, renewed, given a token and closed", async () => {
    const { builds } = client(apiToken);
    const build = await builds.create({ name: "one", connectors: ["turso"], ttlSeconds: 3600 });
    expect(build).toMatchObject({ name: "one", state: "ready" });
    expect((await builds.get(build.id)).leases.map((lease) => lease.connector)).toEqual(["turso"]);
    expect((await builds.renew(build.id, { ttlSeconds: 7200 })).expiresAt).toBe("2099-01-01T00:00:00.000Z");
    expect((await builds.createToken(build.id, { singleUse: true })).token).toBe("klo_bld_new");
    expect((await builds.close(build.id)).state).toBe("closed");
  });

  test("the env comes as plain values, and as the text of a file", async () => {
    const { builds } = client(buildToken);
    expect(await builds.env(sampleBuildId, { profile: "next", copies: ["aws", "gcp"] })).toEqual(sampleEnv);
    expect(Object.fromEntries(broker.seen[0]?.query ?? [])).toEqual({
      format: "json",
      profile: "next",
      copies: "aws,gcp",
    });
    expect(await builds.envText(sampleBuildId, "dotenv")).toContain("R2_BUCKET=builds\n");
  });

  test("org keys, tokens, catalog, audit, health and the root key are reached", async () => {
    const admin = client();
    expect((await admin.orgKeys.put("turso", { organization: "acme" })).version).toBe(1);
    expect((await admin.orgKeys.get("turso")).account).toBe("acme");
    expect((await admin.orgKeys.list()).orgKeys).toHaveLength(1);
    await admin.orgKeys.remove("turso");
    expect((await admin.orgKeys.list()).orgKeys).toEqual([]);
    expect((await admin.tokens.create({ name: "x", scopes: ["builds:read"] })).token).toBe("klo_api_new");
    expect((await admin.tokens.list()).tokens).toHaveLength(1);
    await admin.tokens.revoke("tok_3k9v0a5m2c7d8e4f6g1h");
    expect((await admin.catalog.get()).connectors.map((each) => each.id)).toContain("turso");
    expect((await admin.audit.list({ action: "env.read" })).events).toHaveLength(1);
    expect((await admin.health.ready()).status).toBe("ok");
    expect(await admin.rootKey.rewrap()).toMatchObject({ dataKeys: 3, rewrapped: 2 });
  });

  test("readiness is told also when it answers 503", async () => {
    broker.state.health = { status: "failing", version: "0.1.0", parts: [{ name: "store", ok: false }] };
    expect((await client().health.ready()).status).toBe("failing");
    broker.state.health = { status: "ok", version: "0.1.0" };
  });

  test("a list is walked to its end, page by page", async () => {
    const { builds } = client();
    for (const name of ["a", "b", "c"]) await builds.create({ name });
    const names: string[] = [];
    for await (const build of builds.listAll({ limit: 2 })) names.push(build.name);
    expect(names.slice(-3)).toEqual(["a", "b", "c"]);
    expect(broker.seen.filter((request) => request.method === "GET").length).toBeGreaterThan(1);
  });

  test("a list whose cursor stands still ends in an error", async () => {
    const page = answering(200, '{"builds":[],"nextCursor":"same"}', { "content-type": "application/json" });
    broker.faults.push(page, page);
    const walk = async () => {
      for await (const _ of client().builds.listAll({}));
    };
    expect((await errorOf(walk())).code).toBe("not_a_broker");
  });
});

describe("creating is safe to repeat", () => {
  test.each([
    ["a cut connection", cutting],
    ["a 503", answering(503, "{}", { "retry-after": "1" })],
  ])("after %s the same key and body are sent again", async (_name, fault) => {
    broker.faults.push(fault, fault);
    const build = await client().builds.create({ name: "again" });
    expect(build.state).toBe("ready");
    expect(broker.seen).toHaveLength(3);
    expect(new Set(broker.seen.map((request) => request.headers["idempotency-key"])).size).toBe(1);
    expect(new Set(broker.seen.map((request) => request.body)).size).toBe(1);
  });

  test("it gives up after three attempts", async () => {
    broker.faults.push(cutting, cutting, cutting);
    expect((await errorOf(client().builds.create({ name: "never" }))).code).toBe("connection_lost");
    expect(broker.seen).toHaveLength(3);
  });

  test("a refusal is not repeated", async () => {
    expect((await errorOf(client().builds.create({ name: "../etc" }))).code).toBe("invalid_input");
    expect(broker.seen).toHaveLength(1);
  });

  test("two creations have keys of their own, unless the caller gives one", async () => {
    const { builds } = client();
    const first = await builds.create({ name: "x" });
    expect((await builds.create({ name: "x" })).id).not.toBe(first.id);
    const named = await builds.create({ name: "x" }, { idempotencyKey: "mine" });
    expect((await builds.create({ name: "x" }, { idempotencyKey: "mine" })).id).toBe(named.id);
    expect((await errorOf(builds.create({ name: "y" }, { idempotencyKey: "mine" }))).status).toBe(409);
  });
});

describe("what goes wrong", () => {
  test("an error has the broker's code, remedy, status, details and request id", async () => {
    const error = await errorOf(client().builds.create({ name: "" }));
    expect(error).toMatchObject({ code: "invalid_input", status: 422, remedy: "Correct these fields." });
    expect(error.requestId).toBe("req_3k9v0a5m2c7d8e4f6g1h");
    expect(error.details?.problems).toHaveLength(2);
  });

  test.each([
    ["an unknown token", "klo_admin_wrong", "unauthenticated", 401],
    ["a token for something else", buildToken, "forbidden", 403],
  ])("%s is refused with its own code", async (_name, token, code, status) => {
    expect(await errorOf(client(token).builds.list())).toMatchObject({ code, status });
  });

  test.each([
    ["a page of HTML", answering(200, "<html>", { "content-type": "text/html" }), "not_a_broker"],
    [
      "JSON of another kind",
      answering(200, '{"a":1}', { "content-type": "application/json" }),
      "not_a_broker",
    ],
    [
      "JSON that is cut off",
      answering(200, '{"builds":[', { "content-type": "application/json" }),
      "not_a_broker",
    ],
    ["a 404 of another server", answering(404, "nothing here"), "not_a_broker"],
    ["a redirect", answering(302, "", { location: "http://example.com/" }), "not_a_broker"],
    ["a proxy without its broker", answering(502, "<html>bad gateway</html>"), "unavailable"],
    ["a connection cut before the answer", cutting, "connection_lost"],
    [
      "a connection cut within the answer",
      ((_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{");
        setImmediate(() => response.destroy());
        return true;
      }) satisfies Fault,
      "connection_lost",
    ],
    [
      "something that is not HTTP",
      ((_request, _response, incoming) => {
        incoming.socket.end("SSH-2.0-OpenSSH_9.2\r\n");
        return true;
      }) satisfies Fault,
      "not_a_broker",
    ],
  ])("%s is told apart", async (_name, fault, code) => {
    broker.faults.push(fault);
    const error = await errorOf(client().builds.list());
    expect(error.code).toBe(code);
    expect(error.remedy).toMatch(/\.$/);
  });

  test("an answer that never ends runs into the time limit", async () => {
    broker.faults.push((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write("{");
      return true;
    });
    expect((await errorOf(client(adminToken, 50).builds.list())).code).toBe("timeout");
  });

  test("an answer that is too large is given up", async () => {
    broker.faults.push(answering(200, `{"builds":[],"x":"${"x".repeat(5000)}"}`));
    const small = createClient({ url: broker.url, token: adminToken, responseBytesMax: 1000 });
    expect((await errorOf(small.builds.list())).code).toBe("response_too_large");
  });

  test("a caller can give up", async () => {
    const error = await errorOf(client().builds.env(sampleBuildId, { signal: AbortSignal.abort() }));
    expect(error.code).toBe("aborted");
  });

  test("nobody at the address is told as such", async () => {
    const gone = await startFakeBroker();
    await gone.close();
    const error = await errorOf(createClient({ url: gone.url, token: adminToken }).builds.list());
    expect(error).toMatchObject({ code: "not_reachable" });
    expect(error.message).toContain(gone.url);
  });

  test("https to a server without TLS is told as such", async () => {
    const secure = createClient({ url: broker.url.replace("http:", "https:"), token: adminToken });
    expect((await errorOf(secure.builds.list())).code).toBe("tls_failed");
  });

  test.each([
    ["a name that no env has", { "A=B": "x" }],
    ["a value that is no text", { A: 1 }],
    ["a NUL in a value", { A: "x\0y" }],
  ])("an env with %s is refused whole", async (_name, env) => {
    broker.state.env = env;
    const error = await errorOf(client().builds.env(sampleBuildId));
    broker.state.env = sampleEnv;
    expect(error.code).toBe("not_a_broker");
  });

  test.each(["", ".", ".."])("the build id %j cannot address another route", async (id) => {
    expect((await errorOf(client().builds.get(id))).code).toBe("invalid_argument");
    expect(broker.seen).toHaveLength(0);
  });

  test("a slash in an id stays part of the id", async () => {
    expect((await errorOf(client().builds.get("x/../../org-keys"))).code).toBe("not_found");
    expect(broker.seen[0]?.path).toBe("/v1/builds/x%2F..%2F..%2Forg-keys");
  });
});

describe("the token", () => {
  test("stands in no error, also when the server repeats it", async () => {
    const echo = {
      error: { code: "internal", message: `got ${adminToken}`, details: { token: adminToken } },
    };
    broker.faults.push(answering(500, JSON.stringify(echo), { "content-type": "application/json" }));
    const error = await errorOf(client().builds.list());
    expect(error.message).toBe("got [token]");
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain(adminToken);
  });

  test("stands in no print of a client", () => {
    expect(inspect(client(), { depth: 9, showHidden: true })).not.toContain(adminToken);
    expect(JSON.stringify(client())).not.toContain(adminToken);
  });

  test.each(["", "two words", "line\nbreak", "ünicode"])("%j is refused before it is sent", (token) => {
    expect(() => client(token)).toThrow(KeyloanError);
  });

  test("is sent as a bearer token, and to the configured origin alone", async () => {
    let reached = 0;
    const elsewhere: Server = createServer((_request, response) => {
      reached += 1;
      response.end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const address = elsewhere.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    broker.faults.push(answering(307, "", { location: `http://127.0.0.1:${port}/v1/builds` }));
    await errorOf(client().builds.list());
    await new Promise((resolve) => elsewhere.close(resolve));
    expect(broker.seen[0]?.headers.authorization).toBe(`Bearer ${adminToken}`);
    expect(reached).toBe(0);
  });
});

test("a client with keep-alive uses one connection for many calls", async () => {
  const ports = new Set<number | undefined>();
  const watch: Fault = (_request, _response, incoming) => {
    ports.add(incoming.socket.remotePort);
    return false;
  };
  broker.faults.push(watch, watch, watch);
  const lasting = createClient({ url: broker.url, token: adminToken, keepAlive: true });
  for (const _ of [1, 2, 3]) await lasting.builds.list();
  expect(ports.size).toBe(1);
});
