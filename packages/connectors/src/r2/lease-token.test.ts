import { createHash } from "node:crypto";
import { type ConnectorContext, type PlannedLease, ProviderError, Secret } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  everythingOf,
  openEmulatorTarget,
  orgCredential,
  planLease,
  testContext,
} from "../kit/testing/index.ts";
import { bucketResource, openAccountTokens } from "./account-tokens.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { envOf, s3ClientOf, statusOf } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;

beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target.close());
beforeEach(() => target.emulator.faults.clear());

const tokensPath = /^\/client\/v4\//;
const bucketPath = /^\/keyloan-builds/;
const context = (changes: Partial<ConnectorContext> = {}) =>
  testContext({ baseUrl: target.baseUrl, ...changes });
const organization = () => orgCredential(r2, context(), target.orgFields);
const issue = async (lease: PlannedLease, using = context()) =>
  r2.issuer?.issue(using, await organization(), lease);
const revoke = async (lease: PlannedLease) => r2.issuer?.revoke(context(), await organization(), lease);
const account = () => openAccountTokens(context(), target.orgFields) ?? expect.fail("no API token");
const tokensOf = (lease: PlannedLease) => account().find(lease.handle.token ?? "");
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error,
  );
async function makeToken(name: string): Promise<void> {
  const permissionGroupId = (await organization()).facts.permissionGroupId ?? "";
  const expiresAtSeconds = Math.floor(Date.now() / 1000) + 600;
  const resource = bucketResource(target.orgFields);
  await account().create({ name, permissionGroupId, resource, expiresAtSeconds });
}

/** A context that writes down what is sent to and answered by the token API. */
function watched() {
  const calls: { url: string; body: unknown; answer: { result?: { id?: string; value?: string } } }[] = [];
  const watching = context({
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const text = await response.clone().text();
      const isJson = text.startsWith("{");
      calls.push({
        url: String(input),
        body: JSON.parse(String(init?.body ?? "null")),
        answer: isJson ? JSON.parse(text) : {},
      });
      return response;
    },
  });
  return { calls, watching };
}

describe("the token of a lease", () => {
  test("costs one create and one look, reaches the bucket alone and ends with the credential", async () => {
    const { calls, watching } = watched();
    const lease = planLease(r2, { credentialTtlSeconds: 600 });
    const before = Math.floor(Date.now() / 1000);
    const env = envOf(await issue(lease, watching));
    expect(calls.length).toBe(2);
    const body = calls[0]?.body as { expires_on: string };
    const { facts } = await organization();
    expect(body).toEqual({
      name: `keyloan-${lease.leaseId}`,
      policies: [
        {
          effect: "allow",
          permission_groups: [{ id: facts.permissionGroupId }],
          resources: {
            [`com.cloudflare.edge.r2.bucket.${target.emulator.orgFields.accountId}_default_keyloan-builds`]:
              "*",
          },
        },
      ],
      expires_on: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    const jwt = Buffer.from(env.R2_SESSION_TOKEN ?? "", "base64").toString();
    const { exp } = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
    expect(Date.parse(body.expires_on)).toBe(exp * 1000);
    expect(exp - before).toBeGreaterThanOrEqual(600);
    await revoke(lease);
  });

  test("is given to nobody, neither its value nor the secret it hashes to", async () => {
    const { calls, watching } = watched();
    const lease = planLease(r2, {});
    const values = await issue(lease, watching);
    const failing = planLease(r2, {});
    target.emulator.faults.add({ kind: "status", path: bucketPath, status: 500 });
    const error = await failureOf(issue(failing, watching));
    const made = calls.flatMap(({ answer }) => answer.result?.value ?? []);
    const secrets = made.flatMap((value) => [value, createHash("sha256").update(value).digest("hex")]);
    expect(secrets.length).toBe(4);
    const shown =
      JSON.stringify([envOf(values), lease.handle, (await organization()).facts]) + everythingOf(error);
    expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
    await revoke(lease);
  });

  test("names the jurisdiction of the bucket", () => {
    const fields = { ...target.orgFields, jurisdiction: Secret.of("eu") };
    expect(bucketResource(fields)).toMatch(/_eu_keyloan-builds$/);
  });
});

describe("when the token API fails, the org's own key is never lent instead", () => {
  const body = (code: number, message: string) =>
    JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null });
  test.each([
    [
      "a missing permission",
      403,
      body(9109, "Unauthorized to access requested resource"),
      "forbidden",
      "Account API Tokens: Edit",
    ],
    ["a token that is none", 403, body(9109, "Invalid access token"), "unauthorized", "make a new one"],
    ["a token of no form", 400, body(6003, "Invalid request headers"), "unauthorized", "make a new one"],
    ["a full account", 400, body(1234, "Maximum number of tokens reached"), "quota_exceeded", "500"],
    ["a full account", 403, body(1234, "Token quota exceeded"), "quota_exceeded", "500"],
  ])("%s (%i) is told with its remedy, and not tried again", async (_, status, text, code, remedy) => {
    target.emulator.faults.add({ kind: "status", method: "POST", path: tokensPath, status, body: text });
    const error = await failureOf(issue(planLease(r2, {})));
    expect(error).toMatchObject({ code, status, retryable: false, remedy: expect.stringContaining(remedy) });
    expect(everythingOf(error)).not.toContain(JSON.parse(text).errors[0].message);
  });

  test("429 is tried again, and not before the time it names", async () => {
    const headers = { "retry-after": "300" };
    target.emulator.faults.add({ kind: "status", method: "POST", path: tokensPath, status: 429, headers });
    const error = await failureOf(issue(planLease(r2, {})));
    expect(error).toMatchObject({ code: "rate_limited", retryable: true, retryAfterSeconds: 300 });
  });

  test.each([
    ["no value", { success: true, result: { id: "0".repeat(32) } }],
    ["no success", { success: false, result: { id: "0".repeat(32), value: "x".repeat(40) } }],
    [
      "an id that is a path",
      { success: true, result: { id: "../../x/yyyyyyyyyyyy", value: "x".repeat(40) } },
    ],
  ])("an answer with %s is not taken for a token", async (_, answer) => {
    const text = JSON.stringify(answer);
    target.emulator.faults.add({ kind: "status", method: "POST", path: tokensPath, status: 200, body: text });
    expect(await failureOf(issue(planLease(r2, {})))).toMatchObject({ code: "invalid_response" });
  });

  test("an account that is full is told from a real one, at its limit", async () => {
    const full = await openEmulatorTarget((options) => startEmulator({ ...options, tokensMax: 3 }));
    const there = testContext({ baseUrl: full.baseUrl });
    const org = await orgCredential(r2, there, full.orgFields);
    const first = planLease(r2, {});
    await r2.issuer?.issue(there, org, first);
    const second = planLease(r2, {});
    const error = await failureOf(r2.issuer?.issue(there, org, second) ?? expect.fail());
    expect(error).toMatchObject({ code: "quota_exceeded", retryable: false });
    await r2.issuer?.revoke(there, org, first);
    await expect(r2.issuer?.issue(there, org, second)).resolves.toBeDefined();
    await full.close();
  });
});

describe("a token that R2 does not accept yet", () => {
  test("is waited for, not made again", async () => {
    const lease = planLease(r2, {});
    target.emulator.faults.add({ kind: "status", method: "GET", path: bucketPath, status: 401 });
    const env = envOf(await issue(lease));
    const client = s3ClientOf(env);
    const { ListObjectsV2Command } = await import("@aws-sdk/client-s3");
    const list = new ListObjectsV2Command({ Bucket: env.R2_BUCKET, Prefix: env.R2_PREFIX });
    expect(await statusOf(client.send(list))).toBe(200);
    client.destroy();
    expect((await tokensOf(lease)).length).toBe(1);
    await revoke(lease);
  });

  test.each([
    ["down", { kind: "status", status: 503 }, "unavailable"],
    ["cut off", { kind: "cut" }, "network"],
    ["lying", { kind: "status", status: 200, body: "<html></html>" }, "invalid_response"],
  ] as const)("is deleted again when the store is %s", async (_, fault, code) => {
    const lease = planLease(r2, {});
    target.emulator.faults.add({ ...fault, method: "GET", path: bucketPath });
    expect(await failureOf(issue(lease))).toMatchObject({ code });
    expect(await tokensOf(lease)).toEqual([]);
  });
});

describe("ending a lease deletes every token of its name", () => {
  test("also those of attempts whose answer was lost", async () => {
    const lease = planLease(r2, {});
    target.emulator.faults.add({ kind: "cut_after", method: "POST", path: tokensPath }, 2);
    await failureOf(issue(lease));
    await failureOf(issue(lease));
    await issue(lease);
    expect((await tokensOf(lease)).length).toBe(3);
    await revoke(lease);
    expect(await tokensOf(lease)).toEqual([]);
  });

  test("on every page of the list, and no other", async () => {
    const lease = planLease(r2, {});
    const name = lease.handle.token ?? "";
    await makeToken(name);
    await Promise.all(Array.from({ length: 120 }, (_, number) => makeToken(`other-${number}`)));
    await makeToken(`${name}0`);
    await makeToken(name.slice(0, -1));
    await makeToken(name);
    expect((await account().find(name)).length).toBe(2);
    await revoke(lease);
    expect(await account().find(name)).toEqual([]);
    const kept = await Promise.all(
      [`${name}0`, name.slice(0, -1), "other-0", "other-119"].map((other) => account().find(other)),
    );
    expect(kept.map((ids) => ids.length)).toEqual([1, 1, 1, 1]);
  });

  test("though others delete theirs while the pages are read", async () => {
    const lease = planLease(r2, {});
    const name = lease.handle.token ?? "";
    await Promise.all(Array.from({ length: 60 }, () => makeToken("shift")));
    await makeToken(name);
    await Promise.all(Array.from({ length: 60 }, () => makeToken("after")));
    const shifting = [...(await account().find("shift"))];
    let pages = 0;
    const busy = context({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        pages += 1;
        for (const id of shifting.splice(0, 15)) await account().remove(id);
        return response;
      },
    });
    expect((await openAccountTokens(busy, target.orgFields)?.find(name))?.length).toBe(1);
    expect(pages).toBeGreaterThan(3);
    await revoke(lease);
  });

  test("and does not believe a deletion that left it in place", async () => {
    const lease = planLease(r2, {});
    await issue(lease);
    const body = JSON.stringify({ success: true, errors: [], messages: [], result: { id: "x" } });
    target.emulator.faults.add({ kind: "status", method: "DELETE", path: tokensPath, status: 200, body }, 20);
    expect(await failureOf(revoke(lease))).toMatchObject({ code: "unavailable", retryable: true });
    target.emulator.faults.clear();
    await revoke(lease);
    expect(await tokensOf(lease)).toEqual([]);
  });

  test("and takes no list without its total for a whole one", async () => {
    const body = JSON.stringify({ success: true, errors: [], messages: [], result: [] });
    target.emulator.faults.add({ kind: "status", method: "GET", path: tokensPath, status: 200, body });
    const org = await orgCredential(r2, context(), target.orgFields).catch((error: unknown) => error);
    expect(org).toBeInstanceOf(ProviderError);
    target.emulator.faults.add({ kind: "status", method: "GET", path: tokensPath, status: 200, body });
    expect(await failureOf(account().find("x"))).toMatchObject({ code: "invalid_response" });
  });

  test.each(["keyloan-lse_00000000000000000000", "other", ""])(
    "and never one that the handle names but the lease does not: %j",
    async (token) => {
      const lease = planLease(r2, {});
      const foreign = { ...lease, handle: { ...lease.handle, token } };
      await expect(revoke(foreign)).rejects.toThrow("not named after it");
      await expect(issue(foreign)).rejects.toThrow("not named after it");
    },
  );
});
