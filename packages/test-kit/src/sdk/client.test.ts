import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { inspect } from "node:util";
import { version } from "@keyloan/contract/calls";
import { createClient, KeyloanError } from "@keyloan/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startWatchedKeyloan, type WatchedKeyloan } from "../start-watched-keyloan.ts";
import { answering, brokerHeaders, type NetworkFault, watchRequests } from "../watch-requests.ts";

let broker: WatchedKeyloan;
let buildId: string;
let buildToken: string;
/** What the build was lent. */
let lent: Record<string, string>;
beforeAll(async () => {
  broker = await startWatchedKeyloan();
  buildId = (await broker.createBuild({ connectors: ["memory-keys"] })).id;
  buildToken = await broker.createBuildToken(buildId);
  lent = await broker.readEnv(buildId);
});
afterAll(() => broker.close());
beforeEach(() => {
  broker.seen.length = 0;
  broker.faults.length = 0;
});

const client = (token: string = broker.adminToken, timeoutMs = 5000) =>
  createClient({ url: broker.url, token, timeoutMs, sleep: async () => undefined });
const errorOf = async (promise: Promise<unknown>): Promise<KeyloanError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KeyloanError)) throw new Error(`expected a KeyloanError, got ${inspect(error)}`);
  return error;
};
const cutting: NetworkFault = (_request, _response, incoming) => {
  incoming.socket.destroy();
  return true;
};

test("the version is that of the package", () => {
  const manifest = readFileSync(new URL("../../../sdk/package.json", import.meta.url), "utf8");
  expect(version).toBe((JSON.parse(manifest) as { version: string }).version);
});

describe("calls", () => {
  test("a build is made, read, renewed, given a token and closed", async () => {
    const { builds } = client(await broker.createApiToken());
    const build = await builds.create({ name: "one", connectors: ["memory-files"], ttlSeconds: 3600 });
    expect(build).toMatchObject({ name: "one", state: "ready" });
    expect((await builds.get(build.id)).leases.map((lease) => lease.connector)).toEqual(["memory-files"]);
    expect((await builds.renew(build.id, { ttlSeconds: 7200 })).expiresAt > build.expiresAt).toBe(true);
    const { token } = await builds.createToken(build.id, { singleUse: true });
    expect(Object.keys(await client(token).builds.env(build.id))).toContain("MEMORY_FILES_NAME");
    expect((await builds.close(build.id)).state).toBe("closed");
  });

  test("the env comes as plain values, and as the text of a file", async () => {
    const { builds } = client(buildToken);
    const token = lent.MEMORY_KEYS_TOKEN;
    const copies = { OTHER_KEYS_TOKEN: token, THIRD_KEYS_TOKEN: token };
    expect(await builds.env(buildId, { profile: "next", copies: ["other", "third"] })).toEqual({
      ...lent,
      ...copies,
    });
    expect(Object.fromEntries(broker.seen[0]?.query ?? [])).toEqual({
      format: "json",
      profile: "next",
      copies: "other,third",
    });
    expect(await builds.envText(buildId, "shell")).toContain(`MEMORY_KEYS_TOKEN='${token}'\n`);
  });

  test("org keys, tokens, catalog, audit, health and the root key are reached", async () => {
    const admin = client();
    const { version } = await admin.orgKeys.put("memory-keys", { ...broker.provider.orgKey });
    expect(await admin.orgKeys.get("memory-keys")).toMatchObject({ version, account: "acme" });
    const active = async () => (await admin.orgKeys.list()).orgKeys.filter(({ state }) => state === "active");
    expect(await active()).toMatchObject([{ connector: "memory-keys", version }]);
    await admin.orgKeys.remove("memory-keys");
    expect(await active()).toEqual([]);
    const made = await admin.tokens.create({ name: "x", scopes: ["builds:read"] });
    expect(made.token).toMatch(/^klo_api_/);
    expect((await admin.tokens.list()).tokens.map(({ id }) => id)).toContain(made.id);
    await admin.tokens.revoke(made.id);
    expect((await errorOf(client(made.token).builds.list())).status).toBe(401);
    expect((await admin.catalog.get()).connectors.map((each) => each.id)).toContain("memory-keys");
    expect((await admin.audit.list({ action: "env.read", limit: 1 })).events).toHaveLength(1);
    expect((await admin.health.ready()).status).toBe("ok");
    expect(await admin.rootKey.rewrap()).toMatchObject({ dataKeys: expect.any(Number), left: 0 });
  });

  test("readiness is told also when it answers 503", async () => {
    const { store } = broker.running().deps;
    const row = (await store.read.dataKeys.listOtherThan("none", "", 1))[0] ?? expect.fail();
    const lost = { ...row, kid: "rk-lost" };
    await store.write([], (tables) => tables.dataKeys.rewrap(lost, row));
    // So long an answer is kept.
    broker.advance(1_000);
    expect(await client().health.ready()).toMatchObject({ status: "failing", parts: expect.any(Array) });
    await store.write([], (tables) => tables.dataKeys.rewrap(row, lost));
  });

  test("a list is walked to its end, page by page", async () => {
    const { builds } = client();
    const connectors = ["app-secrets"];
    for (const name of ["a", "b", "c"]) await builds.create({ name, connectors });
    const names: string[] = [];
    for await (const build of builds.listAll({ limit: 2 })) names.push(build.name);
    expect(names.slice(0, 3)).toEqual(["c", "b", "a"]);
    expect(broker.seen.filter((request) => request.method === "GET").length).toBeGreaterThan(1);
  });

  test("a list whose cursor stands still ends in an error", async () => {
    const page = answering(200, { builds: [], nextCursor: "same" }, brokerHeaders);
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
    const build = await client().builds.create({ name: "again", connectors: ["app-secrets"] });
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
    expect(error).toMatchObject({
      code: "invalid_input",
      status: 422,
      remedy: expect.stringMatching(/^Fix what/),
    });
    expect(error.requestId).toMatch(/^req_[0-9a-z]{20}$/);
    expect(error.details?.problems).toHaveLength(2);
  });

  const refused: readonly (readonly [string, () => string, string, number])[] = [
    ["an unknown token", () => "klo_admin_wrong", "unauthenticated", 401],
    ["a token for something else", () => buildToken, "forbidden", 403],
  ];

  test.each(refused)("%s is refused with its own code", async (_name, token, code, status) => {
    expect(await errorOf(client(token()).builds.list())).toMatchObject({ code, status });
  });

  test.each([
    ["a page of HTML", answering(200, "<html>", { "content-type": "text/html" }), "not_a_broker"],
    ["JSON of another kind", answering(200, { a: 1 }), "not_a_broker"],
    ["JSON as ours without our request id", answering(200, { builds: [] }), "not_a_broker"],
    [
      "JSON as ours with another's request id",
      answering(200, { builds: [] }, { "x-request-id": "7c6e5f4a3b2c1d0e" }),
      "not_a_broker",
    ],
    ["JSON that is no object", answering(200, "[]", brokerHeaders), "not_a_broker"],
    ["JSON that is cut off", answering(200, '{"builds":[', brokerHeaders), "not_a_broker"],
    [
      "a 404 of another server",
      answering(404, "nothing here", { "content-type": "text/plain" }),
      "not_a_broker",
    ],
    ["a redirect", answering(302, "", { location: "http://example.com/" }), "not_a_broker"],
    [
      "a proxy without its broker",
      answering(502, "<html>bad gateway</html>", { "content-type": "text/html" }),
      "unavailable",
    ],
    ["a connection cut before the answer", cutting, "connection_lost"],
    [
      "a connection cut within the answer",
      ((_request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{");
        setImmediate(() => response.destroy());
        return true;
      }) satisfies NetworkFault,
      "connection_lost",
    ],
    [
      "something that is not HTTP",
      ((_request, _response, incoming) => {
        incoming.socket.end("SSH-2.0-OpenSSH_9.2\r\n");
        return true;
      }) satisfies NetworkFault,
      "not_a_broker",
    ],
  ])("%s is told apart", async (_name, fault, code) => {
    broker.faults.push(fault);
    const error = await errorOf(client().builds.list());
    expect(error.code).toBe(code);
    expect(error.remedy).toMatch(/\.$/);
  });

  test("a text, and an answer without a body, are a stranger's without our request id", async () => {
    const { builds, tokens } = client();
    broker.faults.push(answering(200, "A=1\n", { "content-type": "text/plain" }), answering(204, ""));
    expect((await errorOf(builds.envText(buildId, "shell"))).code).toBe("not_a_broker");
    expect((await errorOf(tokens.revoke("tok_3k9v0a5m2c7d8e4f6g1h"))).code).toBe("not_a_broker");
  });

  test("a proxy may add a request id of its own", async () => {
    const headers = { "x-request-id": `edge-1, ${brokerHeaders["x-request-id"]}` };
    broker.faults.push(answering(200, { builds: [] }, headers));
    expect(await client().builds.list()).toEqual({ builds: [] });
  });

  test("an answer that never ends runs into the time limit", async () => {
    broker.faults.push((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write("{");
      return true;
    });
    expect((await errorOf(client(broker.adminToken, 50).builds.list())).code).toBe("timeout");
  });

  test("an answer that is too large is given up", async () => {
    broker.faults.push(answering(200, `{"builds":[],"x":"${"x".repeat(5000)}"}`));
    const small = createClient({ url: broker.url, token: broker.adminToken, responseBytesMax: 1000 });
    expect((await errorOf(small.builds.list())).code).toBe("response_too_large");
  });

  test("a caller can give up", async () => {
    const error = await errorOf(client().builds.env(buildId, { signal: AbortSignal.abort() }));
    expect(error.code).toBe("aborted");
  });

  test("nobody at the address is told as such", async () => {
    const gone = await watchRequests(() => broker.url);
    await gone.close();
    const error = await errorOf(createClient({ url: gone.url, token: broker.adminToken }).builds.list());
    expect(error).toMatchObject({ code: "not_reachable" });
    expect(error.message).toContain(gone.url);
  });

  test("https to a server without TLS is told as such", async () => {
    const secure = createClient({ url: broker.url.replace("http:", "https:"), token: broker.adminToken });
    expect((await errorOf(secure.builds.list())).code).toBe("tls_failed");
  });

  test.each([
    ["a name that no env has", { "A=B": "x" }],
    ["a value that is no text", { A: 1 }],
    ["a NUL in a value", { A: "x\0y" }],
  ])("an env with %s is refused whole", async (_name, env) => {
    broker.faults.push(answering(200, env, brokerHeaders));
    const error = await errorOf(client().builds.env(buildId));
    expect(error.code).toBe("not_a_broker");
  });

  test.each(["", ".", ".."])("the build id %j cannot address another route", async (id) => {
    expect((await errorOf(client().builds.get(id))).code).toBe("invalid_argument");
    expect(broker.seen).toHaveLength(0);
  });

  test("a slash in an id stays part of the id", async () => {
    expect((await errorOf(client().builds.get("x/../../org-keys"))).code).toBe("invalid_input");
    expect(broker.seen[0]?.path).toBe("/v1/builds/x%2F..%2F..%2Forg-keys");
  });
});

describe("the token", () => {
  test("stands in no error, also when the server repeats it", async () => {
    const echo = {
      error: { code: "internal", message: `got ${broker.adminToken}`, details: { token: broker.adminToken } },
    };
    broker.faults.push(answering(500, echo));
    const error = await errorOf(client().builds.list());
    expect(error.message).toBe("got [token]");
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain(
      broker.adminToken,
    );
  });

  test("stands in no print of a client", () => {
    expect(inspect(client(), { depth: 9, showHidden: true })).not.toContain(broker.adminToken);
    expect(JSON.stringify(client())).not.toContain(broker.adminToken);
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
    expect(broker.seen[0]?.headers.authorization).toBe(`Bearer ${broker.adminToken}`);
    expect(reached).toBe(0);
  });
});

test("a client with keep-alive uses one connection for many calls", async () => {
  const ports = new Set<number | undefined>();
  const watch: NetworkFault = (_request, _response, incoming) => {
    ports.add(incoming.socket.remotePort);
    return false;
  };
  broker.faults.push(watch, watch, watch);
  const lasting = createClient({ url: broker.url, token: broker.adminToken, keepAlive: true });
  for (const _ of [1, 2, 3]) await lasting.builds.list();
  expect(ports.size).toBe(1);
});
