import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { createClient } from "@libsql/client";
import { createClient as createWebSocketClient } from "@libsql/client/ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLibsqlGateway, gatewayPorts } from "./gateway.ts";
import { rawRequest, sendRaw, statusesIn } from "./testing/raw-http.ts";
import { startTestServer, type TestDatabase, type TestServer } from "./testing/test-server.ts";

let host: TestServer;
let own: TestDatabase;
let other: TestDatabase;

const selectOne = JSON.stringify({
  requests: [{ type: "execute", stmt: { sql: "SELECT body FROM notes" } }, { type: "close" }],
});

beforeAll(async () => {
  host = await startTestServer();
  own = await host.addDatabase("own");
  other = await host.addDatabase("other");
  const client = createClient({ url: other.url, authToken: await other.token() });
  await client.batch(
    ["CREATE TABLE notes (body TEXT)", "INSERT INTO notes VALUES ('belongs to other')"],
    "write",
  );
  client.close();
});
afterAll(() => host.close());

describe("a plain libSQL client", () => {
  test.each([
    ["HTTP", (url: string) => url, createClient],
    ["WebSocket", (url: string) => url.replace("http:", "ws:"), createWebSocketClient],
    ["libsql: without TLS", (url: string) => `${url.replace("http:", "libsql:")}?tls=0`, createClient],
  ])("writes, reads and runs a transaction over %s with the URL alone", async (name, toUrl, create) => {
    const client = create({ url: toUrl(own.url), authToken: await own.token() });
    const table = `notes_${name.length}`;
    await client.execute(`CREATE TABLE ${table} (body TEXT)`);
    const transaction = await client.transaction("write");
    await transaction.execute({ sql: `INSERT INTO ${table} VALUES (?)`, args: ["kept"] });
    await transaction.commit();
    expect((await client.execute(`SELECT body FROM ${table}`)).rows[0]?.body).toBe("kept");
    client.close();
  });
});

test("every use of a port is told, over a lasting connection too", async () => {
  let uses = 0;
  const opened = await host.server.gateway.open({ namespace: "own", onUse: () => uses++ });
  const url = `http://127.0.0.1:${opened.port}`;
  const passing = createClient({ url, authToken: await own.token() });
  const lasting = createWebSocketClient({ url: url.replace("http:", "ws:"), authToken: await own.token() });
  await passing.execute("SELECT 1");
  const passed = uses;
  expect(passed).toBeGreaterThan(0);
  await lasting.execute("SELECT 1");
  const connected = uses;
  expect(connected).toBeGreaterThan(passed);
  await lasting.execute("SELECT 1");
  expect(uses).toBeGreaterThan(connected);
  passing.close();
  lasting.close();
  await opened.close();
});

describe("another namespace cannot be chosen from a database's port, not even with its own valid token", () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ["a Host header", "POST /v2/pipeline", { Host: "other.db" }],
    ["x-namespace-bin", "POST /v2/pipeline", { "x-namespace-bin": "b3RoZXI" }],
    ["x-namespace", "POST /v2/pipeline", { "x-namespace": "other" }],
    ["x-forwarded-host", "POST /v2/pipeline", { "x-forwarded-host": "other.db" }],
    ["the development path", "POST /dev/other/v2/pipeline", {}],
    ["an encoded development path", "POST /%64ev/other/v2/pipeline", {}],
    ["encoded slashes", "POST /dev%2Fother%2Fv2%2Fpipeline", {}],
    ["doubled slashes", "POST //dev/other/v2/pipeline", {}],
    ["dot segments", "POST /v2/../dev/other/v2/pipeline", {}],
    ["encoded dot segments", "POST /v2/%2e%2e/dev/other/v2/pipeline", {}],
    ["an absolute target", "POST http://other.db/v2/pipeline", {}],
    ["a fragment", "POST /v2/pipeline#/dev/other", {}],
    ["the replication service", "POST /wal_log.ReplicationLog/Hello", { "x-namespace-bin": "b3RoZXI" }],
  ])("by %s", async (_how, line, headers) => {
    const authorization = `Bearer ${await other.token()}`;
    const answer = await sendRaw(
      own.port,
      rawRequest(line, { ...headers, Authorization: authorization }, selectOne),
    );
    expect(statusesIn(answer)).toHaveLength(1);
    expect([400, 401, 404]).toContain(statusesIn(answer)[0]);
    expect(answer).not.toContain("belongs to other");
  });

  test("by a second request hidden behind a WebSocket upgrade that the server refuses", async () => {
    const hidden = rawRequest(
      "POST /v2/pipeline",
      { Host: "other.db", Authorization: `Bearer ${await other.token()}` },
      selectOne,
    );
    const upgrade = rawRequest("GET /", {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "1",
    });
    const answer = await sendRaw(own.port, upgrade + hidden);
    expect(statusesIn(answer)).toEqual([400]);
    expect(answer).not.toContain("belongs to other");
  });

  test("by an upgrade to HTTP/2, where every request names its host itself", async () => {
    const upgrade = rawRequest("GET /", {
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA",
    });
    expect(statusesIn(await sendRaw(own.port, upgrade))).toEqual([404]);
  });

  test("by two Content-Lengths or a chunked body that hides a request", async () => {
    const hidden = rawRequest(
      "POST /v2/pipeline",
      { Host: "other.db", Authorization: `Bearer ${await other.token()}` },
      selectOne,
    );
    const bytes = `POST /v2/pipeline HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`;
    const answer = await sendRaw(own.port, bytes);
    expect(statusesIn(answer)).toEqual([400]);
    expect(answer).not.toContain("belongs to other");
  });
});

test.each([
  ["no token", async () => ({}), 401],
  ["another database's token", async () => ({ authorization: `Bearer ${await other.token()}` }), 401],
  [
    "a token for no namespace of this key",
    async () => ({ authorization: `Bearer ${await own.token({ namespace: "other" })}` }),
    404,
  ],
  [
    "an expired token",
    async () => ({ authorization: `Bearer ${await own.token({ expiresAt: Date.now() - 120_000 })}` }),
    401,
  ],
])("%s is refused", async (_what, headers, status) => {
  const answer = await fetch(`${own.url}/v2/pipeline`, {
    method: "POST",
    body: selectOne,
    headers: await headers(),
  });
  expect(answer.status).toBe(status);
});

test("a client tells the status of a refused token, as when the server itself refuses it", async () => {
  for (const authToken of [await other.token(), await own.token({ expiresAt: Date.now() - 120_000 })]) {
    const client = createClient({ url: own.url, authToken });
    await expect(client.execute("SELECT 1")).rejects.toMatchObject({ cause: { status: 401 } });
    client.close();
  }
});

test("a read-only token reads and does not write", async () => {
  const client = createClient({ url: other.url, authToken: await other.token({ access: "read-only" }) });
  expect((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n).toBe(1);
  await expect(client.execute("DELETE FROM notes")).rejects.toMatchObject({ cause: { status: 403 } });
  client.close();
});

test("closing a database cuts its open WebSocket and its listener at once", async () => {
  const database = await host.addDatabase("cut");
  const authToken = await database.token();
  const socket = createWebSocketClient({ url: database.url.replace("http:", "ws:"), authToken });
  await socket.execute("SELECT 1");
  await database.close();
  await expect(socket.execute("SELECT 1")).rejects.toThrow();
  await expect(fetch(`${database.url}/health`)).rejects.toThrow("fetch failed");
  socket.close();
});

test("cutting connections ends an open WebSocket and keeps the port", async () => {
  const database = await host.addDatabase("stays");
  const socket = new WebSocket(database.url.replace("http:", "ws:"), ["hrana2"]);
  await once(socket, "open");
  const closed = once(socket, "close");
  database.cutConnections();
  await closed;
  expect((await fetch(`${database.url}/health`)).status).toBe(200);
});

test("a database is opened again on the port it had, and a taken port is skipped for a new one", async () => {
  const before = await host.addDatabase("moves");
  await before.close();
  const again = await host.server.gateway.open({ namespace: "moves", port: before.port });
  expect(again.port).toBe(before.port);
  const blocker = createServer().listen(before.port + 1, "127.0.0.1");
  await once(blocker, "listening").catch(() => undefined);
  const next = await host.server.gateway.open({ namespace: "moves" });
  expect(next.port).not.toBe(before.port);
  expect(next.port).toBeGreaterThanOrEqual(gatewayPorts.first);
  expect(next.port).toBeLessThanOrEqual(gatewayPorts.last);
  blocker.close();
});

test("a given port that is taken is an error, not another port", async () => {
  await expect(host.server.gateway.open({ namespace: "own", port: other.port })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});

describe("a server that denies a namespace", () => {
  const ask = async (denials: number, body: string) => {
    let asked = 0;
    const upstream = createHttpServer((request, response) => {
      request.resume();
      request.once("end", () => response.writeHead(++asked > denials ? 200 : 404).end("answer"));
    }).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const address = upstream.address();
    const gateway = createLibsqlGateway(
      () => (typeof address === "object" ? address?.port : undefined),
      gatewayPorts.first,
      () => true,
    );
    const { port } = await gateway.open({ namespace: "own" });
    const { status } = await fetch(`http://127.0.0.1:${port}/v2/pipeline`, {
      method: "POST",
      headers: { authorization: "Bearer a.b.c" },
      body,
    });
    await gateway.close();
    upstream.close();
    return { status, asked };
  };

  test("for a moment is asked again", async () => {
    expect(await ask(2, "{}")).toEqual({ status: 200, asked: 3 });
  });

  test("for good is believed", async () => {
    expect(await ask(9, "{}")).toEqual({ status: 404, asked: 4 });
  });

  test("is asked again for a large request too", async () => {
    expect(await ask(2, JSON.stringify("x".repeat(100_000)))).toEqual({ status: 200, asked: 3 });
  });
});
