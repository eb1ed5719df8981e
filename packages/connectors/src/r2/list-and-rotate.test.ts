import { randomBytes } from "node:crypto";
import {
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import {
  type ConnectorContext,
  idSuffix,
  type ListedResource,
  newId,
  type PlannedLease,
} from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { bucketResource, openAccountTokens } from "./account-tokens.ts";
import { emulatorBucket, startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { envOf, s3ClientOf, statusOf, withoutApiToken } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
let client: S3Client;
const Bucket = emulatorBucket;
const entriesMax = 50;

beforeAll(async () => {
  target = await openEmulatorTarget((options) => startEmulator({ ...options, entriesMax }));
  const { accessKeyId = "", secretAccessKey = "" } = target.emulator.orgFields;
  client = s3ClientOf({
    R2_ENDPOINT: target.baseUrl,
    R2_REGION: "auto",
    R2_ACCESS_KEY_ID: accessKeyId,
    R2_SECRET_ACCESS_KEY: secretAccessKey,
  });
});
afterAll(async () => {
  client.destroy();
  await target.close();
});
beforeEach(() => target.emulator.faults.clear());

const context = (changes: Partial<ConnectorContext> = {}) =>
  testContext({ baseUrl: target.baseUrl, ...changes });
const organization = (fields = target.orgFields) => orgCredential(r2, context(), fields);
const put = (Key: string) => client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
async function list(using = context()): Promise<ListedResource[]> {
  const found: ListedResource[] = [];
  for await (const resource of r2.issuer?.list?.(using, await organization()) ?? expect.fail()) {
    found.push(resource);
  }
  return found;
}
const account = () => openAccountTokens(context(), target.orgFields) ?? expect.fail("no API token");
async function makeToken(name: string): Promise<string> {
  const permissionGroupId = (await organization()).facts.permissionGroupId ?? "";
  const expiresAtSeconds = Math.floor(Date.now() / 1000) + 600;
  const resource = bucketResource(target.orgFields);
  return (await account().create({ name, permissionGroupId, resource, expiresAtSeconds })).id;
}
const newBuild = () => newId("build", (size) => randomBytes(size));

describe("what R2 holds of ours", () => {
  test("is the prefixes of builds by their build and the tokens of leases by their lease", async () => {
    const lease = planLease(r2, {});
    const env = envOf(await r2.issuer?.issue(context(), await organization(), lease));
    await put(`${env.R2_PREFIX}file`);
    const found = await list();
    expect(found).toContainEqual({
      buildSuffix: idSuffix(lease.buildId),
      handle: { prefix: lease.handle.prefix },
      name: lease.handle.prefix,
    });
    expect(found).toContainEqual({
      suffix: idSuffix(lease.leaseId),
      handle: { token: lease.handle.token },
      name: lease.handle.token,
    });
    await r2.issuer?.revoke(context(), await organization(), lease);
    expect(await list()).toEqual([]);
  });

  test("can be ended by what its name tells alone, and nothing else with it", async () => {
    const lease = planLease(r2, {});
    const org = await organization();
    await r2.issuer?.issue(context(), org, lease);
    await put(`${lease.handle.prefix}file`);
    const { prefix = "", token = "" } = lease.handle;
    await r2.issuer?.revoke(context(), org, { ...lease, leaseId: "", handle: { prefix } });
    expect((await list()).map(({ name }) => name)).toEqual([token]);
    await r2.issuer?.revoke(context(), org, { ...lease, buildId: "", handle: { token } });
    expect(await list()).toEqual([]);
  });

  test("is also a prefix in which an upload was begun and nothing is stored", async () => {
    const buildId = newBuild();
    const Key = `builds/${buildId}/deep/part`;
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const [found, ...more] = await list();
    expect([found?.buildSuffix, more]).toEqual([idSuffix(buildId), []]);
    const lease = { ...planLease(r2, {}), buildId, handle: found?.handle ?? {} };
    await r2.issuer?.revoke(context(), await organization(), lease);
    expect(await list()).toEqual([]);
  });

  test("is nothing that others made, however alike its name", async () => {
    const buildId = newBuild();
    const keys = ["photo", "builds/photo", "builds/x/photo", `builds/${buildId}`, `builds/${buildId}0/x`];
    await Promise.all([...keys, `Builds/${buildId}/x`, `builds//${buildId}/x`].map(put));
    const lease = newId("lease", (size) => randomBytes(size));
    const names = [
      `keyloan-${lease}0`,
      `keyloan-${lease.slice(0, -1)}`,
      `x-keyloan-${lease}`,
      "keyloan-",
      lease,
    ];
    const ids = await Promise.all([...names, "keyloan-check-0123"].map(makeToken));
    expect(await list()).toEqual([]);
    await Promise.all(ids.map((id) => account().remove(id)));
  });

  test("is named once, however many tokens and objects there are of it", async () => {
    const lease = planLease(r2, {});
    const org = await organization();
    await r2.issuer?.issue(context(), org, lease);
    await r2.issuer?.renew?.(context(), org, lease);
    await Promise.all(Array.from({ length: 20 }, (_, number) => put(`${lease.handle.prefix}${number}`)));
    expect((await list()).map(({ name }) => name)).toEqual([lease.handle.prefix, lease.handle.token]);
    await r2.issuer?.revoke(context(), org, lease);
  });

  test("goes over many pages of prefixes", async () => {
    const builds = Array.from({ length: 2 * entriesMax + 1 }, newBuild);
    await Promise.all(builds.map((buildId) => put(`builds/${buildId}/x`)));
    const found = new Set((await list()).map(({ buildSuffix }) => buildSuffix));
    expect(builds.filter((buildId) => !found.has(idSuffix(buildId)))).toEqual([]);
    const Objects = builds.map((buildId) => ({ Key: `builds/${buildId}/x` }));
    while (Objects.length > 0) {
      const Delete = { Objects: Objects.splice(0, entriesMax), Quiet: true };
      await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
    }
  });

  test.each([
    ["the same mark", "<NextContinuationToken>again</NextContinuationToken>"],
    ["no mark", ""],
  ])("is reported as unknown when the listing goes on with %s", async (_, mark) => {
    const body = `<ListBucketResult><Name>${Bucket}</Name><IsTruncated>true</IsTruncated>${mark}</ListBucketResult>`;
    target.emulator.faults.add({ kind: "status", path: /^\/keyloan-builds/, status: 200, body }, 60);
    await expect(list()).rejects.toMatchObject({ code: "invalid_response" });
  });

  test("is reported as unknown when the list of tokens has more pages than an account can", async () => {
    const body = JSON.stringify({
      success: true,
      result: [],
      result_info: { per_page: 50, total_count: 10_000_000 },
    });
    target.emulator.faults.add({ kind: "status", path: /tokens$/, status: 200, body }, 60);
    await expect(list()).rejects.toMatchObject({ code: "invalid_response" });
  });
});

describe("rotating", () => {
  const write = async (lease: PlannedLease, values: Readonly<Record<string, string>>) => {
    const user = s3ClientOf(values);
    const status = await statusOf(
      user.send(new PutObjectCommand({ Bucket, Key: `${lease.handle.prefix}own`, Body: "x" })),
    );
    user.destroy();
    return status;
  };
  const issue = async (lease: PlannedLease) =>
    envOf(await r2.issuer?.issue(context(), await organization(), lease));
  const rotate = async (lease: PlannedLease, using = context()) =>
    envOf(await r2.issuer?.rotate?.(using, await organization(), lease));

  test("keeps what is stored, and leaves one token of the lease", async () => {
    const lease = planLease(r2, {});
    const before = await issue(lease);
    expect(await write(lease, before)).toBe(200);
    const after = await rotate(lease);
    expect([await write(lease, before), await write(lease, after)]).toEqual([401, 200]);
    expect(await account().find(lease.handle.token ?? "")).toEqual([after.R2_ACCESS_KEY_ID]);
    expect((await list()).map(({ name }) => name)).toContain(lease.handle.prefix);
    await r2.issuer?.revoke(context(), await organization(), lease);
  });

  test("ends nothing before the new credential is accepted", async () => {
    const lease = planLease(r2, {});
    const before = await issue(lease);
    target.emulator.faults.add({ kind: "status", method: "GET", path: /^\/keyloan-builds/, status: 503 });
    await expect(rotate(lease)).rejects.toMatchObject({ code: "unavailable" });
    expect(await write(lease, before)).toBe(200);
    expect(await account().find(lease.handle.token ?? "")).toEqual([before.R2_ACCESS_KEY_ID]);
    await r2.issuer?.revoke(context(), await organization(), lease);
  });

  test("that stopped between the new token and the end of the old is made whole by the next", async () => {
    const lease = planLease(r2, {});
    const before = await issue(lease);
    target.emulator.faults.add({ kind: "status", method: "DELETE", status: 503 });
    await expect(rotate(lease)).rejects.toMatchObject({ code: "unavailable" });
    expect((await account().find(lease.handle.token ?? "")).length).toBe(2);
    const after = await rotate(lease);
    expect(await account().find(lease.handle.token ?? "")).toEqual([after.R2_ACCESS_KEY_ID]);
    expect(await write(lease, before)).toBe(401);
    await r2.issuer?.revoke(context(), await organization(), lease);
  });

  test("does not believe a deletion that left the old token in place", async () => {
    const lease = planLease(r2, {});
    await issue(lease);
    const body = JSON.stringify({ success: true, result: { id: "x" } });
    target.emulator.faults.add({ kind: "status", method: "DELETE", status: 200, body }, 20);
    await expect(rotate(lease)).rejects.toMatchObject({ code: "unavailable", retryable: true });
    target.emulator.faults.clear();
    await r2.issuer?.revoke(context(), await organization(), lease);
    expect(await account().find(lease.handle.token ?? "")).toEqual([]);
  });

  test("is refused for credentials that the org's own key signed, for they would live on", async () => {
    const lease = planLease(r2, {});
    const shared = await organization(withoutApiToken(target.orgFields));
    const before = envOf(await r2.issuer?.issue(context(), shared, lease));
    await expect(rotate(lease)).rejects.toMatchObject({
      code: "rejected",
      retryable: false,
      remedy: expect.stringContaining("renew"),
    });
    expect(await write(lease, before)).toBe(200);
    await r2.issuer?.revoke(context(), await organization(), lease);
  });
});
