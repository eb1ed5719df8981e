import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type PlannedLease, type SecretValues, secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { emulatorBucket, type R2Emulator, startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { type BuildEnv, envOf, s3ClientOf, statusOf, withoutApiToken } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
let emulator: R2Emulator;
const startMs = Date.now();
let clockMs = startMs;
const clients: S3Client[] = [];
const Bucket = emulatorBucket;

beforeAll(async () => {
  target = await openEmulatorTarget(async (options) => {
    emulator = await startEmulator({ ...options, now: () => clockMs });
    return emulator;
  });
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await target.close();
});

// S3 clients go by the machine's clock, which the stand-in's may not leave far behind.
beforeEach(() => {
  clockMs = startMs;
});

const context = () => testContext({ baseUrl: target.baseUrl, now: () => clockMs });
const organization = (fields = target.orgFields) => orgCredential(r2, context(), fields);
const issue = async (lease: PlannedLease, fields?: SecretValues) =>
  envOf(await r2.issuer?.issue(context(), await organization(fields), lease));
const renew = async (lease: PlannedLease) =>
  envOf(await r2.issuer?.renew?.(context(), await organization(), lease));
const revoke = async (lease: PlannedLease, fields?: SecretValues) =>
  r2.issuer?.revoke(context(), await organization(fields), lease);
function clientOf(env: BuildEnv): S3Client {
  const client = s3ClientOf(env);
  clients.push(client);
  return client;
}
const own = (env: BuildEnv) => ({ Bucket, Key: `${env.R2_PREFIX}own` });
const put = (env: BuildEnv) => statusOf(clientOf(env).send(new PutObjectCommand({ ...own(env), Body: "x" })));
const get = (env: BuildEnv) => statusOf(clientOf(env).send(new GetObjectCommand(own(env))));

describe("a closed build's credentials", () => {
  let a: BuildEnv;
  let b: BuildEnv;
  let upload: { Bucket: string; Key: string; UploadId: string | undefined };
  let ETag: string | undefined;
  const presigned: Record<string, string> = {};

  beforeAll(async () => {
    const lease = planLease(r2, {});
    a = await issue(lease);
    b = await issue(planLease(r2, {}));
    expect([await put(a), await put(b)]).toEqual([200, 200]);
    const client = clientOf(a);
    const target = { Bucket, Key: `${a.R2_PREFIX}big` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    upload = { ...target, UploadId };
    ETag = (await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "x" }))).ETag;
    presigned.GET = await getSignedUrl(client, new GetObjectCommand(own(a)), { expiresIn: 3600 });
    presigned.PUT = await getSignedUrl(client, new PutObjectCommand(own(a)), { expiresIn: 3600 });
    expect((await fetch(presigned.GET)).status).toBe(200);
    await revoke(lease);
  });

  const uses: readonly [string, (client: S3Client) => Promise<unknown>][] = [
    ["GetObject", (client) => client.send(new GetObjectCommand(own(a)))],
    ["HeadObject", (client) => client.send(new HeadObjectCommand(own(a)))],
    ["PutObject", (client) => client.send(new PutObjectCommand({ ...own(a), Body: "late" }))],
    ["DeleteObject", (client) => client.send(new DeleteObjectCommand(own(a)))],
    [
      "DeleteObjects",
      (client) => client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [own(a)] } })),
    ],
    ["ListObjectsV2", (client) => client.send(new ListObjectsV2Command({ Bucket, Prefix: a.R2_PREFIX }))],
    [
      "CopyObject",
      (client) => client.send(new CopyObjectCommand({ ...own(a), CopySource: `${Bucket}/${own(a).Key}` })),
    ],
    ["CreateMultipartUpload", (client) => client.send(new CreateMultipartUploadCommand(own(a)))],
    [
      "the next part of a running upload",
      (client) => client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: "y" })),
    ],
    ["the parts of a running upload", (client) => client.send(new ListPartsCommand(upload))],
    [
      "the end of a running upload",
      (client) => {
        const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
        return client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
      },
    ],
    ["the abort of a running upload", (client) => client.send(new AbortMultipartUploadCommand(upload))],
  ];
  test.each(uses)("are refused: %s", async (_, act) => {
    expect(await statusOf(act(clientOf(a)))).toBe(401);
  });

  test.each(["GET", "PUT"])("are refused: a %s that was presigned before", async (method) => {
    const body = method === "PUT" ? { body: "late" } : {};
    expect((await fetch(presigned[method] ?? "", { method, ...body })).status).toBe(401);
  });

  test("are gone with everything they wrote, and another build's live on", async () => {
    const { accessKeyId = "", secretAccessKey = "" } = emulator.orgFields;
    const org = clientOf({
      R2_ENDPOINT: target.baseUrl,
      R2_REGION: "auto",
      R2_ACCESS_KEY_ID: accessKeyId,
      R2_SECRET_ACCESS_KEY: secretAccessKey,
    });
    const left = await org.send(new ListObjectsV2Command({ Bucket, Prefix: a.R2_PREFIX }));
    expect(left.KeyCount).toBe(0);
    expect(await statusOf(org.send(new ListPartsCommand(upload)))).toBe(404);
    expect([await get(b), await put(b)]).toEqual([200, 200]);
  });
});

describe("a renewed build", () => {
  test("has new credentials while the old live until their expiry; closing ends both", async () => {
    const lease = { ...planLease(r2, { credentialTtlSeconds: 600 }), expiresAt: clockMs + 7_200_000 };
    const first = await issue(lease);
    const second = await renew(lease);
    expect(second.R2_ACCESS_KEY_ID).not.toBe(first.R2_ACCESS_KEY_ID);
    expect([await put(first), await get(second)]).toEqual([200, 200]);
    clockMs += 599_000;
    const third = await renew(lease);
    expect([await get(first), await get(third)]).toEqual([200, 200]);
    clockMs += 2_000;
    expect([await get(first), await get(second), await get(third)]).toEqual([401, 401, 200]);
    const fourth = await renew(lease);
    await revoke(lease);
    expect([await get(third), await get(fourth)]).toEqual([401, 401]);
  });
});

describe("without an API token", () => {
  let fields: SecretValues;
  beforeAll(() => {
    fields = withoutApiToken(target.orgFields);
  });

  test("credentials are signed with the org's key and live until they expire", async () => {
    const lease = { ...planLease(r2, {}), expiresAt: clockMs + 600_000 };
    const env = await issue(lease, fields);
    expect(env.R2_ACCESS_KEY_ID).toBe(emulator.orgFields.accessKeyId);
    await put(env);
    await revoke(lease, fields);
    expect([await get(env), await put(env)]).toEqual([404, 200]);
    clockMs += 601_000;
    expect(await get(env)).toBe(401);
    await revoke(lease, fields);
  });

  test("another build's session token does not help, for the secret is that of one token", async () => {
    const [a, b] = [await issue(planLease(r2, {}), fields), await issue(planLease(r2, {}), fields)];
    expect(await get({ ...a, R2_SESSION_TOKEN: b.R2_SESSION_TOKEN ?? "" })).toBe(403);
  });

  test("rolling the org's key ends every credential signed with it, and none of a lease's own", async () => {
    const [shared, ownKey] = [await issue(planLease(r2, {}), fields), await issue(planLease(r2, {}))];
    const rolled = secretValues(await emulator.rollOrgKey());
    expect(await get(shared)).toBe(401);
    expect(await put(ownKey)).toBe(200);
    expect(await r2.validateOrgKey?.(context(), rolled)).toMatchObject({ status: "valid" });
  });
});
