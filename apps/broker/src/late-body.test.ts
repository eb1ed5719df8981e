import { request } from "node:http";
import type { ErrorEnvelope } from "@keyloan/contract";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrokerEnv } from "./http/context.ts";
import { handleError } from "./http/errors.ts";
import { bodyTimeoutMs, readBody } from "./http/read-body.ts";
import { type Answer, createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";

// A request whose headers come while it may do something, and whose body comes when it may not any more.

let broker: TestBroker;
let routes: { method: string; path: string }[] = [];

beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  const { paths } = (await broker.call("GET", "/openapi.json", { token: null })).body as {
    paths: Record<string, Record<string, { "x-keyloan-access": unknown }>>;
  };
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method, operation]) => method !== "get" && operation["x-keyloan-access"] === "person")
      .map(([method]) => ({
        method: method.toUpperCase(),
        path: path.replace("{connector}", "app-secrets"),
      })),
  );
});
afterAll(() => broker.close());

type Sent = Pick<Answer, "status"> & { readonly code: string };

/** Sends headers and one byte now, and the rest when it is told to. */
function hold(method: string, path: string, headers: Record<string, string>) {
  const length = 300;
  const answered = Promise.withResolvers<Sent>();
  const { hostname, port } = new URL(broker.url);
  const call = request(
    {
      hostname,
      port,
      path,
      method,
      agent: false,
      headers: { "content-type": "application/json", "content-length": String(length), ...headers },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Partial<ErrorEnvelope>;
        answered.resolve({ status: response.statusCode ?? 0, code: body.error?.code ?? "" });
      });
    },
  );
  call.on("error", answered.reject);
  const begun = new Promise<void>((resolve) => call.write(" ", () => resolve()));
  return {
    begun,
    finish: (body: object) => {
      call.end(JSON.stringify(body).padEnd(length - 1));
      return answered.promise;
    },
  };
}

const headersOf = (page: TestPage) => ({
  cookie: [...page.browser].map(([name, value]) => `${name}=${value}`).join("; "),
  "x-keyloan-session": "1",
  "x-keyloan-build": page.session.buildId,
});

describe("a body that comes late", () => {
  it("is judged by who the person is when it has come, on every route of theirs", async () => {
    expect(routes.length).toBeGreaterThan(8);
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const early = await openPage(broker, id);
    const held = routes.map((route) => ({
      ...route,
      ...hold(route.method, route.path, headersOf(early)),
    }));
    await Promise.all(held.map(({ begun }) => begun));
    const person = await openPage(broker, id);
    expect((await person.save("app-secrets", {})).status).toBe(200);
    const before = await person.version();
    for (const { method, path, finish } of held) {
      const body = {
        expectedVersion: before,
        submission: { values: {} },
        preview: {},
        tokensMay: ["revert"],
      };
      expect([method, path, (await finish(body)).code]).toEqual([method, path, "person_only"]);
    }
    expect(await person.version()).toBe(before);
  });

  it("saves nothing for a visit that was ended meanwhile", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const visit = await openPage(broker, id);
    const held = hold("PUT", "/v1/settings/keys/app-secrets", headersOf(visit));
    await held.begun;
    await broker.running().deps.store.write([], (tables) => tables.sessions.endByBuild(id, broker.now()));
    const sent = await held.finish({ submission: { values: {} }, expectedVersion: 0 });
    expect(sent).toEqual({ status: 401, code: "session_expired" });
    expect(await broker.running().deps.store.read.persons.findByBuild(id)).toBeUndefined();
  });

  it("makes no token for a token that was revoked meanwhile", async () => {
    const { id } = await broker.createBuild({ connectors: ["app-secrets"] });
    const made = await broker.call("POST", "/v1/tokens", { body: { name: "p", scopes: ["tokens:write"] } });
    const { id: tokenId, token } = made.body as { id: string; token: string };
    const held = hold("POST", `/v1/builds/${id}/tokens`, { authorization: `Bearer ${token}` });
    await held.begun;
    expect((await broker.call("DELETE", `/v1/tokens/${tokenId}`)).status).toBe(204);
    expect(await held.finish({})).toEqual({ status: 401, code: "unauthenticated" });
  });

  it("is not waited for longer than is said", { timeout: bodyTimeoutMs / 3 }, async () => {
    const app = new Hono<BrokerEnv>();
    app.onError(handleError);
    app.post("/", readBody(20), (context) => context.text("read"));
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
    const answer = await app.request("/", { method: "POST", body, duplex: "half" } as RequestInit);
    expect([answer.status, ((await answer.json()) as ErrorEnvelope).error.code]).toEqual([
      400,
      "malformed_request",
    ]);
  });
});
