import { type SecretValues, secretValues } from "@keyloan/contract";
import { createClient } from "@libsql/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { tursoDatabase } from "./database.ts";
import { startEmulator } from "./emulator.ts";
import { turso } from "./index.ts";
import { tokenWarnings } from "./token-expiration.ts";
import { validate } from "./validate.ts";
import { validateOrgKey } from "./validate-org-key.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target?.close());
beforeEach(() => target.emulator.faults.clear());

const context = () => testContext({ baseUrl: target.baseUrl });
const api = async (method: string, path: string, body?: unknown) => {
  const headers = { authorization: `Bearer ${target.emulator.orgFields.token}` };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await (await fetch(`${target.baseUrl}/v1/${path}`, init)).json();
  return z.record(z.string(), z.unknown()).parse(answer);
};

describe("an org key", () => {
  const check = (changes: Record<string, string>) =>
    validateOrgKey(context(), { ...target.orgFields, ...secretValues(changes) });

  test("that names no group of the organization is told by that field", async () => {
    expect(await check({ group: "nowhere" })).toMatchObject({
      status: "invalid",
      envVar: "group",
      code: "rejected",
    });
  });

  test("that names an unknown organization is told by that field", async () => {
    expect(await check({ organization: "nobody" })).toMatchObject({
      status: "invalid",
      envVar: "organization",
    });
  });

  test("whose token is for another group lacks a permission", async () => {
    const body = { organization: "keyloan-dev", group: "other", scopes: ["read"] };
    const { token } = await api("POST", "auth/api-tokens/foreign", body);
    expect(await check({ token: String(token) })).toMatchObject({
      status: "invalid",
      envVar: "token",
      code: "lacks_permission",
    });
  });

  test.each([
    [-1, { status: "valid", warnings: [] }],
    [
      Math.floor(Date.now() / 1000) + 3600,
      { status: "valid", warnings: [expect.stringContaining("14 days")] },
    ],
    [Math.floor(Date.now() / 1000) + 40 * 86_400, { status: "valid", warnings: [] }],
    [Math.floor(Date.now() / 1000) - 1, { status: "invalid", envVar: "token", code: "rejected" }],
  ])("whose token ends at %i is judged by that, -1 being never", async (exp, result) => {
    target.emulator.faults.add({ kind: "status", status: 200, body: JSON.stringify({ exp }) });
    expect(await check({})).toMatchObject(result);
  });

  test("of an organization that does not pay is reported as such", async () => {
    target.emulator.faults.add({ kind: "status", status: 402, path: /groups/ });
    expect(await check({})).toMatchObject({ envVar: "organization", code: "lacks_permission" });
  });
});

describe("database values", () => {
  let values: SecretValues;
  let database: string;
  beforeAll(async () => {
    const lease = planLease(turso, undefined);
    database = lease.handle.database ?? "";
    const org = await orgCredential(turso, context(), target.orgFields);
    const location = await tursoDatabase.create(context(), org, lease);
    values = await tursoDatabase.access(context(), org, lease, location);
  });
  const path = () => `organizations/keyloan-dev/databases/${database}`;
  const check = (changes: Record<string, string> = {}) =>
    validate(context(), { ...values, ...secretValues(changes) });

  test("that read and write are valid, and the check leaves nothing behind", async () => {
    expect(await check()).toMatchObject({
      status: "valid",
      capabilities: [
        { name: "Can read data", state: "works" },
        { name: "Can create tables and write data", state: "works" },
      ],
    });
    const client = createClient({
      url: values.TURSO_DATABASE_URL?.reveal() ?? "",
      authToken: values.TURSO_AUTH_TOKEN?.reveal() ?? "",
    });
    expect((await client.execute("SELECT name FROM sqlite_master")).rows).toEqual([]);
    client.close();
  });

  test("over ws: are checked over HTTP", async () => {
    const url = values.TURSO_DATABASE_URL?.reveal().replace("http:", "ws:") ?? "";
    expect(await check({ TURSO_DATABASE_URL: url })).toMatchObject({ status: "valid" });
  });

  test("that only read are refused, since every app writes", async () => {
    const { jwt } = await api("POST", `${path()}/auth/tokens?expiration=5m&authorization=read-only`);
    expect(await check({ TURSO_AUTH_TOKEN: String(jwt) })).toMatchObject({
      status: "invalid",
      envVar: "TURSO_AUTH_TOKEN",
      code: "lacks_permission",
      remedy: expect.stringContaining("read and write"),
    });
  });

  test("whose token ends are told when", async () => {
    const { jwt } = await api("POST", `${path()}/auth/tokens?expiration=1d`);
    const tomorrow = [23, 24].map((hours) =>
      new Date(Date.now() + hours * 3600_000).toISOString().slice(0, 10),
    );
    const result = await check({ TURSO_AUTH_TOKEN: String(jwt) });
    const warnings = result.status === "valid" ? result.warnings.join(" ") : "";
    expect(tomorrow.some((day) => warnings.includes(`The token expires on ${day}`))).toBe(true);
  });

  test("whose token is for ever, or tells nothing, get no word of it", async () => {
    const { jwt } = await api("POST", `${path()}/auth/tokens?expiration=never`);
    const result = await check({ TURSO_AUTH_TOKEN: String(jwt) });
    expect(result.status === "valid" ? result.warnings.join() : "").not.toContain("expires on");
    expect(tokenWarnings("opaque-token")).toEqual([]);
    expect(tokenWarnings(`a.${Buffer.from('{"exp":"soon"}').toString("base64url")}.b`)).toEqual([]);
    expect(tokenWarnings(`a.${Buffer.from('{"exp":1e300}').toString("base64url")}.b`)).toEqual([]);
  });

  test.each([
    [
      "block_writes",
      {
        status: "invalid",
        envVar: "TURSO_DATABASE_URL",
        code: "lacks_permission",
        message: "The database does not accept writes.",
      },
    ],
    ["block_reads", { status: "invalid", envVar: "TURSO_DATABASE_URL", message: "The database is blocked." }],
  ])("of a database under %s are reported as such", async (block, result) => {
    await api("PATCH", `${path()}/configuration`, { [block]: true });
    expect(await check()).toMatchObject(result);
    await api("PATCH", `${path()}/configuration`, { [block]: false });
  });

  test("with another database's token are refused by the token's name", async () => {
    await api("POST", "organizations/keyloan-dev/databases", { name: "another", group: "default" });
    const { jwt } = await api(
      "POST",
      "organizations/keyloan-dev/databases/another/auth/tokens?expiration=5m",
    );
    expect(await check({ TURSO_AUTH_TOKEN: String(jwt) })).toMatchObject({
      status: "invalid",
      envVar: "TURSO_AUTH_TOKEN",
      code: "rejected",
    });
  });

  test.each([
    "file:/etc/passwd",
    "libsql://user:pass@a.turso.io",
    "libsql://a.turso.io?authToken=eyJ",
    "libsql://a.turso.io/x",
    "https://a.turso.io\n",
    "",
  ])("with the URL %j are malformed, and nothing is asked", async (url) => {
    const fetchNever = () => Promise.reject(new Error("asked"));
    const result = await validate(
      { ...context(), fetch: fetchNever },
      { ...values, ...secretValues({ TURSO_DATABASE_URL: url }) },
    );
    expect(result).toMatchObject({ status: "invalid", envVar: "TURSO_DATABASE_URL", code: "malformed" });
  });

  test("of a host that has no such database are refused by the URL's name", async () => {
    const result = await check({ TURSO_DATABASE_URL: target.baseUrl });
    expect(result).toMatchObject({ status: "invalid", envVar: "TURSO_DATABASE_URL", code: "rejected" });
  });

  test.each([
    [503, "provider_down"],
    [429, "rate_limited"],
    [200, "provider_down"],
    [302, "provider_down"],
  ])("of a host that answers %i are neither valid nor invalid", async (status, code) => {
    const fetchStatus = async () => new Response("MARKED", { status, headers: { "retry-after": "3" } });
    const result = await validate({ ...context(), fetch: fetchStatus }, values);
    expect(result).toMatchObject({ status: "undetermined", code });
    expect(JSON.stringify(result)).not.toContain("MARKED");
  });
});
