import { type PlannedLease, Secret, type SecretValues, secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { withoutApiToken } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;

beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
});
afterAll(() => target.close());
beforeEach(() => target.emulator.faults.clear());

const context = () => testContext({ baseUrl: target.baseUrl });
const checkOrg = (changes: Record<string, string> = {}) =>
  r2.validateOrgKey?.(context(), { ...target.orgFields, ...secretValues(changes) });
const issue = async (lease: PlannedLease): Promise<SecretValues> =>
  (await r2.issuer?.issue(context(), await orgCredential(r2, context(), target.orgFields), lease)) ?? {};
const ownKeys = (changes: Record<string, string> = {}) => {
  const { accessKeyId = "", secretAccessKey = "", bucket = "" } = target.emulator.orgFields;
  return secretValues({
    R2_ENDPOINT: target.baseUrl,
    R2_BUCKET: bucket,
    R2_ACCESS_KEY_ID: accessKeyId,
    R2_SECRET_ACCESS_KEY: secretAccessKey,
    ...changes,
  });
};
const refuse = (code: string, status = 403) =>
  target.emulator.faults.add({ kind: "status", status, body: `<Error><Code>${code}</Code></Error>` }, 50);

describe("an org key", () => {
  test("that works is valid, with what was tried", async () => {
    expect(await checkOrg()).toEqual({
      status: "valid",
      account: `${target.emulator.orgFields.accountId}/${target.emulator.orgFields.bucket}`,
      capabilities: [
        "Can store files",
        "Can read files",
        "Can list files",
        "Can delete files",
        "Can limit a credential to a prefix",
        "Can end credentials when a build closes",
      ].map((name) => ({ name, state: "works" })),
      warnings: [],
    });
  });

  test.each([
    ["another secret", { secretAccessKey: "0".repeat(64) }, "secretAccessKey", "wrong_pair"],
    ["an unknown key id", { accessKeyId: "f".repeat(32) }, "accessKeyId", "wrong_pair"],
    ["a bucket that is not there", { bucket: "no-such-bucket" }, "bucket", "rejected"],
    ["another account", { accountId: "f".repeat(32) }, "accessKeyId", "rejected"],
    ["no secret", { secretAccessKey: "" }, "secretAccessKey", "malformed"],
    ["a bucket with a path", { bucket: "../up" }, "bucket", "malformed"],
    ["an unknown jurisdiction", { jurisdiction: "moon" }, "jurisdiction", "malformed"],
  ])("with %s is invalid at that field", async (_, changes, envVar, code) => {
    expect(await checkOrg(changes)).toMatchObject({ status: "invalid", envVar, code });
  });

  test.each([
    ["AccessDenied", "lacks_permission"],
    ["NotEntitled", "lacks_permission"],
  ])("that R2 answers with %s lacks a permission, and the way to fix it is told", async (r2Code, code) => {
    refuse(r2Code);
    expect(await checkOrg()).toMatchObject({ status: "invalid", code, remedy: expect.stringMatching(/\S/) });
  });

  test("of a read-only token lacks writing", async () => {
    target.emulator.faults.add(
      { kind: "status", method: "PUT", status: 403, body: "<Error><Code>AccessDenied</Code></Error>" },
      5,
    );
    expect(await checkOrg()).toMatchObject({
      message: expect.stringContaining("does not have permission to store files"),
    });
  });

  test("is undetermined, not wrong, when this machine's clock is", async () => {
    refuse("RequestTimeTooSkewed");
    expect(await checkOrg()).toMatchObject({
      status: "undetermined",
      message: expect.stringContaining("clock"),
    });
  });

  test("leaves nothing behind in the bucket, also when the check stops in the middle", async () => {
    target.emulator.faults.add({ kind: "status", method: "GET", status: 500 });
    await checkOrg();
    await checkOrg();
    const { openBucket } = await import("./client.ts");
    const { orgAccess } = await import("./endpoint.ts");
    const store = await openBucket(context(), orgAccess(context(), target.orgFields));
    expect((await store.list("keyloan-check/").next()).value).toEqual([]);
  });
});

describe("values of a build or a user", () => {
  test("that are lent are valid without a warning, for they reach nothing else", async () => {
    expect(await r2.validate(context(), await issue(planLease(r2, {})))).toMatchObject({
      status: "valid",
      warnings: [],
    });
  });

  test("that reach the whole bucket while a prefix is given are valid with a warning", async () => {
    expect(await r2.validate(context(), ownKeys({ R2_PREFIX: "uploads/" }))).toMatchObject({
      status: "valid",
      warnings: [expect.stringContaining("whole bucket")],
    });
    expect(await r2.validate(context(), ownKeys())).toMatchObject({ status: "valid", warnings: [] });
  });

  test("of a lease on another build's prefix lack the permission", async () => {
    const values = await issue(planLease(r2, {}));
    const other = { ...values, R2_PREFIX: Secret.of("builds/bld_00000000000000000000/") };
    expect(await r2.validate(context(), other)).toMatchObject({
      status: "invalid",
      code: "lacks_permission",
    });
  });

  test("whose session token has expired name the token", async () => {
    const early = testContext({ baseUrl: target.baseUrl, now: () => Date.now() - 7200_000 });
    const lease = { ...planLease(r2, {}), expiresAt: Date.now() - 3600_000 };
    const fields = withoutApiToken(target.orgFields);
    const values = await r2.issuer?.issue(early, await orgCredential(r2, early, fields), lease);
    expect(await r2.validate(context(), values ?? {})).toMatchObject({
      status: "invalid",
      envVar: "R2_SESSION_TOKEN",
      code: "rejected",
    });
  });

  test("of a key that sees every bucket of the account are valid with a warning", async () => {
    const body = `<?xml version="1.0"?><ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets><Bucket><Name>${target.emulator.orgFields.bucket}</Name></Bucket></Buckets></ListAllMyBucketsResult>`;
    const headers = { "content-type": "application/xml" };
    target.emulator.faults.add({ kind: "status", status: 200, method: "GET", path: /^\/$/, headers, body });
    expect(await r2.validate(context(), ownKeys())).toMatchObject({
      status: "valid",
      warnings: [expect.stringContaining("every bucket of your account")],
    });
  });

  test.each([
    [
      "the secret as key id",
      { R2_ACCESS_KEY_ID: "0f".repeat(32) },
      "R2_ACCESS_KEY_ID",
      "not the Access Key ID",
    ],
    [
      "the token's value as secret",
      { R2_SECRET_ACCESS_KEY: `cfat_${"a".repeat(40)}` },
      "R2_SECRET_ACCESS_KEY",
      "value of the API token",
    ],
    [
      "the bucket in the endpoint",
      { R2_ENDPOINT: `https://${"0".repeat(32)}.eu.r2.cloudflarestorage.com/my-app` },
      "R2_ENDPOINT",
      "at its end",
    ],
  ])("with %s are reported as such without a call", async (_name, changes, envVar, words) => {
    const fetch = () => Promise.reject(new Error("asked"));
    expect(await r2.validate(testContext({ fetch }), ownKeys(changes))).toMatchObject({
      status: "invalid",
      code: "malformed",
      envVar,
      message: expect.stringContaining(words),
    });
  });

  test.each([
    ["R2_ENDPOINT", "https://user:pass@host.example"],
    ["R2_ENDPOINT", "file:///etc/passwd"],
    ["R2_ENDPOINT", "https://$(id).example"],
    ["R2_ENDPOINT", "https://a`id`"],
    ["R2_BUCKET", "a/b"],
    ["R2_PREFIX", "no-slash"],
    ["R2_PREFIX", "wild*/"],
    ["R2_PREFIX", "$(id)/"],
    ["R2_PREFIX", "it's;`id`/"],
    ["R2_PREFIX", "a\u0007b/"],
  ])("with an ill-formed %s (%s) are refused before any call", async (name, value) => {
    refuse("AccessDenied");
    const waiting = target.emulator.faults.size();
    const result = await r2.validate(context(), ownKeys({ [name]: value }));
    expect(result).toMatchObject({ status: "invalid", envVar: name, code: "malformed" });
    expect(target.emulator.faults.size()).toBe(waiting);
  });

  test("go over the context's own fetch, so that its address guard holds", async () => {
    const asked: string[] = [];
    const guarded = testContext({
      fetch: async (input) => {
        asked.push(String(input));
        throw new Error("blocked");
      },
    });
    expect(await r2.validate(guarded, ownKeys())).toMatchObject({ status: "undetermined" });
    expect(asked.length).toBeGreaterThan(0);
  });
});

describe("issuing", () => {
  test("cuts the credentials' life to seven days and to the asked seconds", async () => {
    const now = 1_800_000_000_000;
    const fixed = testContext({ baseUrl: target.baseUrl, now: () => now });
    const org = await orgCredential(r2, fixed, withoutApiToken(target.orgFields));
    const lifeOf = async (options: unknown, expiresAt: number) => {
      const values = await r2.issuer?.issue(fixed, org, { ...planLease(r2, options), expiresAt });
      const jwt = Buffer.from(values?.R2_SESSION_TOKEN?.reveal() ?? "", "base64").toString();
      const claims = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
      return claims.exp - claims.iat;
    };
    expect(await lifeOf({}, now + 3600_999)).toBe(3600);
    expect(await lifeOf({}, now + 30 * 86_400_000)).toBe(604_800);
    expect(await lifeOf({ credentialTtlSeconds: 600 }, now + 3600_000)).toBe(600);
    await expect(lifeOf({}, now - 1)).rejects.toMatchObject({ code: "rejected" });
  });

  test.each(["bld_../x", "bld_*", "", "lse_00000000000000000000", "bld_00000000000000000000/"])(
    "never makes a prefix of something that is no build id: %j",
    (buildId) => {
      const request = { leaseId: "x", buildId, expiresAt: 0, options: {} };
      expect(() => r2.issuer?.plan(request)).toThrow("build id");
    },
  );

  test("speaks to the endpoint of the account and its jurisdiction", async () => {
    const fields = { ...withoutApiToken(target.orgFields), jurisdiction: Secret.of("eu") };
    const org = { version: 1, facts: {}, fields };
    const values = await r2.issuer?.issue(testContext(), org, planLease(r2, {}));
    const { accountId } = target.emulator.orgFields;
    expect(values?.R2_ENDPOINT?.reveal()).toBe(`https://${accountId}.eu.r2.cloudflarestorage.com`);
  });
});
