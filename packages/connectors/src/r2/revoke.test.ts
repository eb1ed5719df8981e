import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { PlannedLease } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { emulatorBucket, startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
let org: S3Client;
const Bucket = emulatorBucket;

beforeAll(async () => {
  target = await openEmulatorTarget(startEmulator);
  const { accessKeyId = "", secretAccessKey = "" } = target.emulator.orgFields;
  org = new S3Client({
    endpoint: target.baseUrl,
    region: "auto",
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  });
});
afterAll(async () => {
  org.destroy();
  await target.close();
});
beforeEach(() => target.emulator.faults.clear());

const context = () => testContext({ baseUrl: target.baseUrl });
const put = (Key: string) => org.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
const revoke = async (lease: PlannedLease) =>
  r2.issuer?.revoke(context(), await orgCredential(r2, context(), target.orgFields), lease);
const left = async (Prefix: string | undefined) => {
  const objects = await org.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const uploads = await org.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  return (objects.KeyCount ?? 0) + (uploads.Uploads?.length ?? 0);
};

describe("closing a build", () => {
  test("deletes more objects than one call can take, and every unfinished upload", async () => {
    const lease = planLease(r2, {});
    const { prefix } = lease.handle;
    await Promise.all(Array.from({ length: 1203 }, (_, number) => put(`${prefix}many/${number}`)));
    const begin = (name: string) =>
      org.send(new CreateMultipartUploadCommand({ Bucket, Key: `${prefix}${name}` }));
    await Promise.all([begin("twice"), begin("twice"), begin("x/../y"), begin("bell\u0007")]);
    await revoke(lease);
    expect(await left(prefix)).toBe(0);
  });

  test.each([
    ["dots between slashes", "a/../../b"],
    ["a control character", "bell\u0007"],
    ["both", "x/../y/./bell\u0007"],
    ["signs of XML", "<&>\"']]>"],
    ["line ends and spaces at its ends", " \r\n key \t"],
    ["a plus and a percent sign", "a+b%2Bc d"],
    ["letters beyond ASCII", "ключ/🔑\ufffd"],
  ])("deletes an object whose key has %s", async (_, name) => {
    const lease = planLease(r2, {});
    await put(`${lease.handle.prefix}${name}`);
    await revoke(lease);
    expect(await left(lease.handle.prefix)).toBe(0);
  });

  test("leaves a sibling whose id starts with the build's", async () => {
    const lease = planLease(r2, {});
    const sibling = `${lease.handle.prefix?.slice(0, -1)}0/kept`;
    await put(sibling);
    await revoke(lease);
    expect(await left(sibling)).toBe(1);
  });

  test.each(["", "builds/", "builds/bld_00000000000000000000/", "builds/*/"])(
    "never empties a prefix that is not the build's own: %j",
    async (prefix) => {
      const lease = { ...planLease(r2, {}), handle: { prefix } };
      await expect(revoke(lease)).rejects.toThrow("not that of its build");
    },
  );

  test("fails rather than trust a 200 that lists keys it may not delete", async () => {
    const lease = planLease(r2, {});
    const { prefix } = lease.handle;
    const list = `<ListBucketResult><Name>${Bucket}</Name><IsTruncated>false</IsTruncated><Contents><Key>builds/other/key</Key></Contents></ListBucketResult>`;
    await put("builds/other/key");
    const answer = { kind: "status", method: "GET", path: bucketPath, status: 200 } as const;
    target.emulator.faults.add({ ...answer, body: uploadsDocument });
    target.emulator.faults.add({ ...answer, body: list });
    await expect(revoke({ ...lease, handle: { prefix: prefix ?? "" } })).rejects.toMatchObject({
      code: "invalid_response",
    });
    expect(await left("builds/other/")).toBe(1);
  });

  test("fails, and says so, when a 200 answer holds errors for single keys", async () => {
    const lease = planLease(r2, {});
    await put(`${lease.handle.prefix}stuck`);
    const body = `<DeleteResult><Error><Key>${lease.handle.prefix}stuck</Key><Code>InternalError</Code></Error></DeleteResult>`;
    target.emulator.faults.add({ kind: "status", method: "POST", status: 200, body });
    await expect(revoke(lease)).rejects.toMatchObject({ code: "unavailable", retryable: true });
    await revoke(lease);
    expect(await left(lease.handle.prefix)).toBe(0);
  });

  test("does not believe a deletion that left everything in place", async () => {
    const lease = planLease(r2, {});
    const key = `${lease.handle.prefix}stays`;
    await put(key);
    const body = `<DeleteResult><Deleted><Key>${key}</Key></Deleted></DeleteResult>`;
    target.emulator.faults.add({ kind: "status", method: "POST", status: 200, body }, 20);
    await expect(revoke(lease)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("of a bucket that is gone succeeds: nothing is left in it", async () => {
    const body = "<Error><Code>NoSuchBucket</Code></Error>";
    target.emulator.faults.add({ kind: "status", path: bucketPath, status: 404, body }, 5);
    await expect(revoke(planLease(r2, {}))).resolves.toBeUndefined();
  });
});

const bucketPath = new RegExp(`^/${Bucket}`);
const uploadsDocument = `<ListMultipartUploadsResult><Bucket>${Bucket}</Bucket><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`;
