import type { AuditEventRow } from "@keyloan/store";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { createCode, openPage, type TestPage } from "./testing/open-page.ts";

// Every route of the OpenAPI document: a new one is in it by itself.

type Operation = { readonly method: string; readonly path: string; readonly access: unknown };

let broker: TestBroker;
let buildId: string;
let page: TestPage;
let workload: string;
let platform: string;
let operations: readonly Operation[] = [];

beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  const document = (await broker.call("GET", "/openapi.json", { token: null })).body as {
    paths: Record<string, Record<string, { "x-keyloan-access": unknown }>>;
  };
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      access: operation["x-keyloan-access"],
    })),
  );
});
afterAll(() => broker.close());
// Each test ends some of them.
beforeEach(async () => {
  // Refusals that came again within a minute are counted only: `refusals.test.ts`.
  broker.advance(60_000);
  buildId = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  workload = await broker.createBuildToken(buildId);
  const made = await broker.call("POST", "/v1/tokens", { body: { name: "p", scopes: ["builds:read"] } });
  platform = (made.body as { token: string }).token;
  page = await openPage(broker, (await broker.createBuild({ connectors: ["app-secrets"] })).id);
});

async function rowsOf(answer: Answer): Promise<AuditEventRow[]> {
  const rows = await broker.running().deps.store.read.auditEvents.list({ limit: 200 });
  return rows.filter(({ requestId }) => requestId === answer.headers.get("x-request-id"));
}
const isOfPage = (access: unknown) => access === "session" || access === "person";
async function callAs(operation: Operation, body: unknown, id: string, token: string): Promise<Answer> {
  const { method, path, access } = operation;
  const url = path
    .replace("{id}", id)
    .replace("{connector}", "app-secrets")
    .replace("{sessionId}", "ses_00000000000000000000")
    .replace("{tokenId}", "tok_00000000000000000000");
  const sent = method === "GET" || method === "DELETE" ? undefined : body;
  return isOfPage(access) ? page.call(method, url, sent) : broker.call(method, url, { token, body: sent });
}

describe("the audit of requests", () => {
  // What ends the session comes last: the routes before need it.
  const order = ({ path }: Operation) => (path === "/v1/session" ? 1 : 0);

  it.each([
    ["bodies that are refused", [], "lse_00000000000000000000"],
    ["bodies that may be taken", { name: "x", scopes: ["builds:read"], expectedVersion: 0 }, undefined],
  ])("has every route's request id in it when the answer arrives: %s", async (_what, body, id) => {
    const missing: string[] = [];
    const known = operations.filter(({ access }) => access !== "open");
    expect(known.length).toBeGreaterThanOrEqual(25);
    for (const operation of known.toSorted((a, b) => order(a) - order(b))) {
      const answer = await callAs(operation, body, id ?? buildId, broker.adminToken);
      const rows = await rowsOf(answer);
      const name = `${operation.method} ${operation.path}: ${answer.status}`;
      if (rows.length === 0) missing.push(name);
      const told = rows.find(({ action }) => action === "request.answered");
      if (told !== undefined && JSON.parse(told.details).status !== answer.status)
        missing.push(`${name} differs`);
    }
    expect(missing).toEqual([]);
  });

  it("has requests refused for a missing scope in it", async () => {
    for (const operation of operations) {
      if (operation.access === "open" || isOfPage(operation.access)) continue;
      const answer = await callAs(operation, {}, "bld_00000000000000000000", workload);
      expect(answer.status).toBe(403);
      expect((await rowsOf(answer)).map(({ action }) => action)).toEqual(["request.refused"]);
    }
  });

  type Refused = readonly [
    string,
    string,
    { readonly headers?: Record<string, string>; readonly body?: unknown },
  ];
  const refused: readonly (readonly [string, number, Refused])[] = [
    ["no JSON", 415, ["POST", "/v1/builds", { headers: { "content-type": "text/plain" }, body: "x" }]],
    ["too large a body", 413, ["POST", "/v1/builds", { body: "{".repeat(70_000) }]],
    ["no such address", 404, ["GET", "/v1/nothing", {}]],
    ["no such method", 405, ["PUT", "/v1/builds", { body: {} }]],
    [
      "no JSON where the page answers",
      415,
      ["PUT", "/v1/settings/tokens-may", { headers: { "content-type": "text/plain" }, body: "x" }],
    ],
  ];
  it.each(refused)(
    "has what is refused before any route in it, by a token or a visit: %s",
    async (_what, status, call) => {
      const [method, path, { headers = {}, body }] = call;
      const sent = { headers, ...(body === undefined ? {} : { body }) };
      const cookie = `keyloan_session_${page.session.buildId}=${page.cookie}`;
      const answers = [
        await broker.call(method, path, { ...sent, token: platform }),
        await broker.call(method, path, { ...sent, token: null, headers: { ...headers, cookie } }),
      ];
      const actors = await Promise.all(
        answers.map(async (answer) => (await rowsOf(answer)).map(({ actor }) => actor)),
      );
      expect(answers.map((answer) => answer.status)).toEqual([status, status]);
      expect(actors).toEqual([
        [expect.stringMatching(/^platform:tok_/)],
        [expect.stringMatching(/^session:ses_/)],
      ]);
    },
  );

  it("has a visit that is not opened in it, by a code of ours alone", async () => {
    const code = await createCode(broker, buildId);
    await createCode(broker, buildId);
    const open = (text: string) =>
      broker.call("POST", "/v1/session", {
        token: null,
        body: { code: text },
        headers: { "x-keyloan-session": "1" },
      });
    const [row] = await rowsOf(await open(code));
    expect(row).toMatchObject({ actor: "system:handoff", action: "request.answered" });
    expect(JSON.parse(row?.details ?? "")).toMatchObject({ route: "/v1/session", code: "handoff_expired" });
    expect(await rowsOf(await open(`klo_hnd_${"A".repeat(51)}`))).toEqual([]);
  });

  it("has no rows for a browser's cookie that proves nobody, wherever it is shown", async () => {
    const cookie = `keyloan_person=${broker.running().deps.tokens.make("person").token.reveal()}`;
    const headers = { cookie, "x-keyloan-session": "1" };
    const answers = [
      await broker.call("GET", "/v1/builds", { token: null, headers }),
      await broker.call("PUT", "/v1/nothing", { token: null, headers }),
      await broker.call("POST", "/v1/session", { token: null, headers, body: { buildId } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 401]);
    expect((await Promise.all(answers.map(rowsOf))).flat()).toEqual([]);
  });

  it("has one row for a read of an env, with the names and not the route", async () => {
    const id = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
    const rows = await rowsOf(await broker.call("GET", `/v1/builds/${id}/env`));
    expect(rows.map(({ action }) => action)).toEqual(["env.read"]);
  });

  it("tells who, what route and how it was answered, and which build", async () => {
    const id = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
    const [found] = await rowsOf(await broker.call("GET", `/v1/builds/${id}`, { token: platform }));
    expect(found).toMatchObject({ action: "request.answered", entity: id });
    expect(found?.actor).toMatch(/^platform:tok_/);
    expect(JSON.parse(found?.details ?? "")).toEqual({
      method: "GET",
      route: "/v1/builds/{id}",
      status: 200,
    });
    const [failed] = await rowsOf(await broker.call("GET", "/v1/builds/bld_00000000000000000000"));
    expect(JSON.parse(failed?.details ?? "")).toMatchObject({ status: 404, code: "not_found" });
  });

  it.each([
    ["without a token", null],
    ["with a token nobody made", `klo_api_${"A".repeat(43)}`],
  ])("has no rows for callers who are not known, %s: they are logged alone", async (_what, token) => {
    const answer = await broker.call("GET", "/v1/builds", { token });
    expect([answer.status, await rowsOf(answer)]).toEqual([401, []]);
    expect(broker.logs.join("\n")).toContain(answer.headers.get("x-request-id"));
  });

  it("has a row for each of several requests that were given the same id", async () => {
    const headers = { "x-request-id": "chosen-by-a-client" };
    const answers = await Promise.all([1, 2, 3].map(() => broker.call("GET", "/v1/builds", { headers })));
    const rows = await Promise.all(answers.map(rowsOf));
    expect(rows.flat()).toHaveLength(3);
  });
});
