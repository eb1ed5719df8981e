import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type PlannedLease, secretValues } from "@keyloan/contract";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { tursoDatabase as driver } from "./database.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target?.close());
beforeEach(() => target.emulator.faults.clear());

const context = () => testContext({ baseUrl: target.baseUrl });
const org = () => orgCredential(turso, context(), target.orgFields);
const plan = () => planLease(turso, undefined);
const api = (method: string, path: string, body?: unknown, token = target.emulator.orgFields.token) =>
  fetch(`${target.baseUrl}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const databasePath = (lease: PlannedLease) => `organizations/keyloan-dev/databases/${lease.handle.database}`;

test("a name that is taken in another group is not adopted", async () => {
  const lease = plan();
  const body = { name: lease.handle.database, group: "other" };
  expect((await api("POST", "organizations/keyloan-dev/databases", body)).status).toBe(200);
  await expect(driver.create(context(), await org(), lease)).rejects.toMatchObject({
    code: "conflict",
    retryable: false,
  });
});

test("the token names this database alone and ends with the lease, rounded up to a minute", async () => {
  const lease = plan();
  const location = await driver.create(context(), await org(), lease);
  const values = await driver.access(context(), await org(), lease, location);
  const claims = decodeJwt(values.TURSO_AUTH_TOKEN?.reveal() ?? "");
  expect(claims).toMatchObject({
    p: { rw: { ns: [expect.stringMatching(/^ns-/)] } },
    jti: expect.any(String),
  });
  expect(claims).not.toHaveProperty("aud");
  expect(claims.exp).toBeGreaterThanOrEqual(Math.floor(lease.expiresAt / 1000));
  expect(claims.exp).toBeLessThanOrEqual(lease.expiresAt / 1000 + 61);
  await driver.drop(context(), await org(), lease);
});

test("a group token with the documented scopes is enough for the whole life of a database", async () => {
  const scopes = ["read", "db:create", "db:delete", "db:configure", "db:mint-token", "db:rotate-creds"];
  const limited = {
    version: 1,
    facts: {},
    fields: { ...target.orgFields, ...(await mintPlatformToken(scopes)) },
  };
  const lease = plan();
  const location = await driver.create(context(), limited, lease);
  const values = await driver.access(context(), limited, lease, location);
  expect(await driver.ready(context(), values)).toBe(true);
  await driver.drop(context(), limited, lease);
  await expect(driver.locate(context(), limited, lease)).rejects.toMatchObject({ code: "not_found" });
});

test("a platform token without a scope is told as a lacking permission", async () => {
  const limited = {
    version: 1,
    facts: {},
    fields: { ...target.orgFields, ...(await mintPlatformToken(["read"])) },
  };
  await expect(driver.create(context(), limited, plan())).rejects.toMatchObject({
    code: "forbidden",
    status: 403,
  });
});

test.each(["kl-../x", "KL-a", "other", "kl-a/b", "kl-%2e", ""])(
  "a handle that names %j is not sent anywhere",
  async (database) => {
    const lease = { ...plan(), handle: { database } };
    target.emulator.faults.add({ kind: "status", status: 500 }, 10);
    await expect(driver.drop(context(), await org(), lease)).rejects.toThrow(
      "names no database that Keyloan made",
    );
    expect(target.emulator.faults.size()).toBe(10);
  },
);

describe("dropping", () => {
  test("succeeds when only blocking and rotating fail, for deleting does more", async () => {
    const lease = plan();
    await driver.create(context(), await org(), lease);
    target.emulator.faults.add({ kind: "status", status: 500, method: "PATCH" });
    target.emulator.faults.add({ kind: "status", status: 500, path: /rotate$/ });
    await driver.drop(context(), await org(), lease);
    expect((await api("GET", databasePath(lease))).status).toBe(404);
  });

  test("cuts access even when deleting fails", async () => {
    const lease = plan();
    const location = await driver.create(context(), await org(), lease);
    const values = await driver.access(context(), await org(), lease, location);
    const socket = new WebSocket(`ws://${location.hostname}`, ["hrana2"]);
    await once(socket, "open");
    const cut = once(socket, "close");
    target.emulator.faults.add({ kind: "status", status: 503, method: "DELETE" });
    await expect(driver.drop(context(), await org(), lease)).rejects.toMatchObject({ status: 503 });
    await cut;
    expect(await driver.ready(context(), values)).toBe(false);
    expect(await (await api("GET", `${databasePath(lease)}/configuration`)).json()).toMatchObject({
      block_reads: true,
      block_writes: true,
    });
    await driver.drop(context(), await org(), lease);
  });

  test("is not believed when the database can still be read", async () => {
    const lease = plan();
    await driver.create(context(), await org(), lease);
    const body = JSON.stringify({ database: lease.handle.database });
    target.emulator.faults.add({ kind: "status", status: 200, body, method: "DELETE" });
    await expect(driver.drop(context(), await org(), lease)).rejects.toMatchObject({ retryable: true });
    await driver.drop(context(), await org(), lease);
  });

  test("of a protected database fails as a lacking permission, and nothing is lost", async () => {
    const lease = plan();
    await driver.create(context(), await org(), lease);
    await api("PATCH", `${databasePath(lease)}/configuration`, { delete_protection: true });
    await expect(driver.drop(context(), await org(), lease)).rejects.toMatchObject({ code: "forbidden" });
    await api("PATCH", `${databasePath(lease)}/configuration`, { delete_protection: false });
    await driver.drop(context(), await org(), lease);
  });
});

describe("a lying provider", () => {
  test.each([
    ["another name", { database: { Name: "kl-other", Hostname: "a.turso.io", DbId: "x" } }],
    ["a host with a path", { Hostname: "a.turso.io/evil" }],
    ["a host with credentials", { Hostname: "me@a.turso.io" }],
    ["no host", { Hostname: null }],
  ])("that answers create with %s is not believed", async (_what, changes) => {
    const lease = plan();
    const right = { Name: lease.handle.database, Hostname: "a.turso.io", DbId: "x" };
    const body = JSON.stringify({
      database: { ...right, ...changes },
      ...("database" in changes ? changes : {}),
    });
    target.emulator.faults.add({ kind: "status", status: 200, body, method: "POST" });
    await expect(driver.create(context(), await org(), lease)).rejects.toMatchObject({
      code: "invalid_response",
    });
  });

  test.each([
    ["no token", "{}"],
    ["an empty token", '{"jwt":""}'],
    ["a number", '{"jwt":7}'],
  ])("that answers minting with %s is not believed", async (_what, body) => {
    const lease = plan();
    target.emulator.faults.add({ kind: "status", status: 200, body, method: "POST" });
    const minting = driver.access(context(), await org(), lease, { hostname: "a.turso.io" });
    await expect(minting).rejects.toMatchObject({ code: "invalid_response" });
  });
});

describe("a database is not ready while its host", () => {
  let host: Server;
  let answer: { status: number; body: string };
  beforeAll(async () => {
    host = createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
    }).listen(0, "127.0.0.1");
    await once(host, "listening");
  });
  afterAll(() => host.close());

  const result = { cols: [{ name: "1" }], affected_row_count: 0, last_insert_rowid: null };
  const rows = [[{ type: "integer", value: "1" }]];
  const good = { type: "ok", response: { type: "execute", result: { ...result, rows } } };
  const close = { type: "ok", response: { type: "close" } };
  test.each([
    ["is not up yet", 503, ""],
    ["does not know the token", 401, "{}"],
    ["does not know the database", 404, "{}"],
    ["answers HTML", 200, "<html></html>"],
    ["answers an empty object", 200, "{}"],
    ["answers too few results", 200, JSON.stringify({ results: [good] })],
    [
      "answers an error",
      200,
      JSON.stringify({ results: [{ type: "error", error: { code: "BLOCKED" } }, close] }),
    ],
    [
      "answers another row",
      200,
      JSON.stringify({
        results: [{ ...good, response: { type: "execute", result: { ...result, rows: [] } } }, close],
      }),
    ],
    ["redirects", 302, ""],
  ])("%s", async (_what, status, body) => {
    answer = { status, body };
    expect(await driver.ready(context(), valuesAt(portOf(host)))).toBe(false);
  });

  test("closes the connection", async () => {
    const unused = createServer().listen(0, "127.0.0.1");
    await once(unused, "listening");
    const port = portOf(unused);
    unused.close();
    expect(await driver.ready(context(), valuesAt(port))).toBe(false);
  });

  test("no longer: a really good answer is ready", async () => {
    answer = { status: 200, body: JSON.stringify({ results: [good, close] }) };
    expect(await driver.ready(context(), valuesAt(portOf(host)))).toBe(true);
  });
});

const valuesAt = (port: number) =>
  secretValues({ TURSO_DATABASE_URL: `http://127.0.0.1:${port}`, TURSO_AUTH_TOKEN: "t".repeat(30) });

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function mintPlatformToken(scopes: readonly string[]) {
  const body = { organization: "keyloan-dev", group: "default", scopes };
  const answer = await (await api("POST", "auth/api-tokens/limited", body)).json();
  return secretValues({ token: z.object({ token: z.string() }).parse(answer).token });
}
