import { type EndpointAccess, type ErrorEnvelope, endpoints } from "@keyloan/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";
import { openPage, type TestPage } from "./testing/open-page.ts";

// Every route × every kind of principal, made of the OpenAPI document: a new route is in it by itself.

type Operation = {
  readonly "x-keyloan-access": EndpointAccess;
  readonly responses: Record<string, unknown>;
};

let broker: TestBroker;
let ownBuild: string;
let otherBuild: string;
/** Visits of a build's page: before anybody saved anything, of its person, and of somebody else. */
const pages: Record<string, TestPage> = {};
const tokens: Record<string, string | null> = {};
let operations: { method: string; path: string; access: EndpointAccess; declared: string[] }[] = [];

beforeAll(async () => {
  broker = await createTestBroker({ emulators: [] });
  ownBuild = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  otherBuild = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  const apiToken = async (...scopes: string[]) => {
    const answer = await broker.call("POST", "/v1/tokens", { body: { name: "matrix", scopes } });
    return (answer.body as { token: string }).token;
  };
  Object.assign(tokens, {
    nobody: null,
    unknown: `klo_api_${"A".repeat(43)}`,
    garbage: "not-a-token",
    admin: broker.adminToken,
    "platform builds:read": await apiToken("builds:read"),
    "platform builds:write": await apiToken("builds:write"),
    "platform tokens:write": await apiToken("tokens:write"),
    "workload of the build": await broker.createBuildToken(ownBuild),
    "workload of another build": await broker.createBuildToken(otherBuild),
  });
  const keysBuild = (await broker.createBuild({ connectors: ["app-secrets"] })).id;
  const person = await openPage(broker, keysBuild);
  await person.save("app-secrets", {});
  Object.assign(pages, {
    "session of the build": await openPage(broker, ownBuild),
    "session of the person": person,
    "unproven session": await openPage(broker, keysBuild),
  });
  const document = (await broker.call("GET", "/openapi.json", { token: null })).body as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      access: operation["x-keyloan-access"],
      declared: Object.keys(operation.responses),
    })),
  );
});
afterAll(() => broker.close());

function expected(access: EndpointAccess, principal: string): "allowed" | 401 | 403 {
  if (access === "open") return "allowed";
  if (access === "session") return principal in pages ? "allowed" : 401;
  if (access === "person" && principal === "unproven session") return 403;
  if (access === "person") return principal in pages ? "allowed" : 401;
  if (principal in pages) return 401;
  if (["nobody", "unknown", "garbage"].includes(principal)) return 401;
  if (principal === "admin") return access.admin ? "allowed" : 403;
  if (principal.startsWith("platform ")) return access.platform === principal.slice(9) ? "allowed" : 403;
  return principal === "workload of the build" && access.workload === true ? "allowed" : 403;
}

const principals = [
  "nobody",
  "unknown",
  "garbage",
  "admin",
  "platform builds:read",
  "platform builds:write",
  "platform tokens:write",
  "workload of the build",
  "workload of another build",
  "session of the build",
  "session of the person",
  "unproven session",
];

describe("authorization", () => {
  it("covers every call of the contract, and the broker serves no other", () => {
    const served = operations.map(({ method, path, access }) => [`${method} ${path}`, access]);
    const said = endpoints.map(({ route, access }) => [route, access]);
    expect(Object.fromEntries(served)).toEqual(Object.fromEntries(said));
    expect(served.length).toBe(said.length);
  });

  it.each(principals)("lets %s do what its access says, and nothing else", async (principal) => {
    const wrong: string[] = [];
    for (const { method, path, access, declared } of operations) {
      // An empty body and ids that exist nowhere: whoever is let in then meets 2xx, 404, 409 or 422.
      // Ending the session would end it for the rows that follow.
      if (principal in pages && `${method} ${path}` === "DELETE /v1/session") continue;
      const url = path.replace(
        "{id}",
        path.startsWith("/v1/builds/") ? targetBuild(method) : "tok_00000000000000000000",
      );
      const body = method === "POST" || method === "PUT" ? {} : undefined;
      const named = url
        .replace("{connector}", "turso")
        .replace("{sessionId}", "ses_00000000000000000000")
        .replace("{tokenId}", "tok_00000000000000000000");
      const answer = await callAs(principal, method, named, body);
      const want = expected(access, principal);
      const good =
        want === "allowed"
          ? ![401, 403].includes(answer.status) && answer.status < 500
          : answer.status === want;
      const documented = declared.includes(String(answer.status));
      if (!good || !documented) wrong.push(`${method} ${path}: ${answer.status}, wanted ${want}`);
      if (answer.status >= 400) {
        const { error } = answer.body as ErrorEnvelope;
        if (error.remedy === undefined || error.requestId !== answer.headers.get("x-request-id")) {
          wrong.push(`${method} ${path}: an error without remedy or request id`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  function callAs(principal: string, method: string, path: string, body: unknown) {
    const page = pages[principal];
    if (page !== undefined) return page.call(method, path, body);
    return broker.call(method, path, {
      token: tokens[principal] ?? null,
      ...(body === undefined ? {} : { body }),
    });
  }

  // Closing would end the build the other rows need.
  function targetBuild(method: string): string {
    return method === "DELETE" ? "bld_00000000000000000000" : ownBuild;
  }
});
