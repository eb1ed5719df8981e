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
  test("deletes every object and every unfinished upload, whatever its key", async () => {
    const lease = planLease(r2, {});
    const { prefix } = lease.handle;
    await Promise.all(["file", "a/../../b", "x/../y/./bell\u0007"].map((name) => put(`${prefix}${name}`)));
    const begin = (name: string) =>
      org.send(new CreateMultipartUploadCommand({ Bucket, Key: `${prefix}${name}` }));
    await Promise.all([begin("twice"), begin("twice"), begin("x/../y"), begin("bell\u0007")]);
    await revoke(lease);
    expect(await left(prefix)).toBe(0);
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

  test("of a bucket that is gone succeeds: nothing is left in it", async () => {
    const body = "<Error><Code>NoSuchBucket</Code></Error>";
    target.emulator.faults.add({ kind: "status", path: bucketPath, status: 404, body }, 5);
    await expect(revoke(planLease(r2, {}))).resolves.toBeUndefined();
  });
});

const bucketPath = new RegExp(`^/${Bucket}`);
