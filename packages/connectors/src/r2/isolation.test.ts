import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { PlannedLease } from "@keyloan/contract";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { startEmulator } from "./emulator.ts";
import { r2 } from "./index.ts";
import { type BuildEnv, envOf, s3ClientOf, statusOf } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
let clockMs = Date.now();
let a: BuildEnv;
let b: BuildEnv;
const clients: S3Client[] = [];

beforeAll(async () => {
  target = await openEmulatorTarget((options) => startEmulator({ ...options, now: () => clockMs }));
  a = await issue(planLease(r2, {}));
  b = await issue(planLease(r2, {}));
  await put(a, `${a.R2_PREFIX}own`, "of a");
  await put(b, `${b.R2_PREFIX}own`, "of b");
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await target.close();
});

const context = () => testContext({ baseUrl: target.baseUrl, now: () => clockMs });
const organization = () => orgCredential(r2, context(), target.orgFields);
const issue = async (lease: PlannedLease) =>
  envOf(await r2.issuer?.issue(context(), await organization(), lease));
function clientOf(env: BuildEnv): S3Client {
  const client = s3ClientOf(env);
  clients.push(client);
  return client;
}
const put = (env: BuildEnv, Key: string, Body: string) =>
  clientOf(env).send(new PutObjectCommand({ Bucket: env.R2_BUCKET, Key, Body }));
const get = async (env: BuildEnv, Key: string) => {
  const answer = await clientOf(env).send(new GetObjectCommand({ Bucket: env.R2_BUCKET, Key }));
  return answer.Body?.transformToString();
};
describe("the credentials of a build", () => {
  test("write, read, list, copy and delete under the build's own prefix", async () => {
    const Bucket = a.R2_BUCKET;
    const Prefix = a.R2_PREFIX;
    expect(await get(a, `${Prefix}own`)).toBe("of a");
    const CopySource = `${Bucket}/${Prefix}own`;
    await clientOf(a).send(new CopyObjectCommand({ Bucket, Key: `${Prefix}copy`, CopySource }));
    const list = await clientOf(a).send(new ListObjectsV2Command({ Bucket, Prefix }));
    expect(list.Contents?.map(({ Key }) => Key)).toEqual([`${Prefix}copy`, `${Prefix}own`]);
    await clientOf(a).send(new DeleteObjectCommand({ Bucket, Key: `${Prefix}copy` }));
  });

  const onOther: readonly [string, (Bucket: string | undefined, Key: string) => Promise<unknown>][] = [
    ["GetObject", (Bucket, Key) => clientOf(a).send(new GetObjectCommand({ Bucket, Key }))],
    ["HeadObject", (Bucket, Key) => clientOf(a).send(new HeadObjectCommand({ Bucket, Key }))],
    ["PutObject", (Bucket, Key) => clientOf(a).send(new PutObjectCommand({ Bucket, Key, Body: "x" }))],
    ["DeleteObject", (Bucket, Key) => clientOf(a).send(new DeleteObjectCommand({ Bucket, Key }))],
    [
      "CreateMultipartUpload",
      (Bucket, Key) => clientOf(a).send(new CreateMultipartUploadCommand({ Bucket, Key })),
    ],
    [
      "ListObjectsV2",
      (Bucket, Key) =>
        clientOf(a).send(new ListObjectsV2Command({ Bucket, Prefix: Key.replace(/own$/, "") })),
    ],
  ];
  test.each(onOther)("%s on another build's prefix is 403", async (_, act) => {
    expect(await statusOf(act(b.R2_BUCKET, `${b.R2_PREFIX}own`))).toBe(403);
  });
  test.each(onOther)("%s on a sibling that starts with the build's id is 403", async (_, act) => {
    const sibling = `${a.R2_PREFIX?.slice(0, -1)}0/own`;
    expect(await statusOf(act(a.R2_BUCKET, sibling))).toBe(403);
  });
  test.each(onOther)("%s past the prefix by dots is 403 or its own key", async (name, act) => {
    // S3 keys have no folders: `..` is part of the name, so this is a key of the build, not another's.
    const key = `${a.R2_PREFIX}../${b.R2_PREFIX?.slice("builds/".length)}own`;
    const status = await statusOf(act(a.R2_BUCKET, key));
    expect({ name, status: status === 403 || (status ?? 0) < 300 || status === 404 }).toEqual({
      name,
      status: true,
    });
    expect(await get(b, `${b.R2_PREFIX}own`)).toBe("of b");
  });

  test.each(["", "builds", "builds/", "builds/bld_"])(
    "listing above the prefix, at %j, is 403",
    async (Prefix) => {
      const client = clientOf(a);
      const Bucket = a.R2_BUCKET;
      expect(await statusOf(client.send(new ListObjectsV2Command({ Bucket, Prefix })))).toBe(403);
      expect(await statusOf(client.send(new ListObjectsCommand({ Bucket, Prefix })))).toBe(403);
      expect(await statusOf(client.send(new ListMultipartUploadsCommand({ Bucket, Prefix })))).toBe(403);
    },
  );

  test("listing the buckets, and another bucket, is 403", async () => {
    const { ListBucketsCommand } = await import("@aws-sdk/client-s3");
    expect(await statusOf(clientOf(a).send(new ListBucketsCommand({})))).toBe(403);
    const other = new GetObjectCommand({ Bucket: "another-bucket", Key: `${a.R2_PREFIX}own` });
    expect(await statusOf(clientOf(a).send(other))).toBe(403);
  });

  test("copying from another build is 403, whole and as a part", async () => {
    const Bucket = a.R2_BUCKET;
    const CopySource = `${Bucket}/${b.R2_PREFIX}own`;
    const Key = `${a.R2_PREFIX}stolen`;
    const client = clientOf(a);
    expect(await statusOf(client.send(new CopyObjectCommand({ Bucket, Key, CopySource })))).toBe(403);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 1, CopySource });
    expect(await statusOf(client.send(part))).toBe(403);
    expect(await statusOf(get(a, Key))).toBe(404);
  });

  test("another build's upload id is of no use", async () => {
    const Key = `${b.R2_PREFIX}upload`;
    const Bucket = b.R2_BUCKET;
    const { UploadId } = await clientOf(b).send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const client = clientOf(a);
    const there = { Bucket, Key, UploadId };
    const here = { Bucket, Key: `${a.R2_PREFIX}upload`, UploadId };
    const part = { PartNumber: 1, Body: "x" };
    expect(await statusOf(client.send(new UploadPartCommand({ ...there, ...part })))).toBe(403);
    expect(await statusOf(client.send(new ListPartsCommand(there)))).toBe(403);
    expect(await statusOf(client.send(new CompleteMultipartUploadCommand(there)))).toBe(403);
    expect(await statusOf(client.send(new UploadPartCommand({ ...here, ...part })))).toBe(404);
  });

  test("DeleteObjects deletes its own keys and refuses the other's, key by key", async () => {
    await put(a, `${a.R2_PREFIX}mixed`, "x");
    const Objects = [{ Key: `${a.R2_PREFIX}mixed` }, { Key: `${b.R2_PREFIX}own` }];
    const answer = await clientOf(a).send(
      new DeleteObjectsCommand({ Bucket: a.R2_BUCKET, Delete: { Objects } }),
    );
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual([`${a.R2_PREFIX}mixed`]);
    expect(answer.Errors).toMatchObject([{ Key: `${b.R2_PREFIX}own`, Code: "AccessDenied" }]);
    expect(await get(b, `${b.R2_PREFIX}own`)).toBe("of b");
  });

  test.each(["GET", "PUT"])(
    "a presigned %s for another build is 403, for the own prefix it works",
    async (method) => {
      const Bucket = a.R2_BUCKET;
      const ask = async (Key: string) => {
        const command =
          method === "GET"
            ? new GetObjectCommand({ Bucket, Key })
            : new PutObjectCommand({ Bucket, Key, Body: "x" });
        const url = await getSignedUrl(clientOf(a), command, { expiresIn: 60 });
        return (await fetch(url, { method, ...(method === "PUT" ? { body: "x" } : {}) })).status;
      };
      expect(await ask(`${b.R2_PREFIX}own`)).toBe(403);
      expect(await ask(`${a.R2_PREFIX}${method === "GET" ? "own" : "presigned"}`)).toBe(200);
    },
  );

  test("without their session token they are 403", async () => {
    const { R2_SESSION_TOKEN: _, ...rest } = a;
    expect(await statusOf(get(rest, `${a.R2_PREFIX}own`))).toBe(403);
  });

  test("with another build's session token they are 401", async () => {
    const mixed = { ...a, R2_SESSION_TOKEN: b.R2_SESSION_TOKEN ?? "" };
    expect(await statusOf(get(mixed, `${b.R2_PREFIX}own`))).toBe(401);
  });

  test("with another build's session token and key id they are 403", async () => {
    const { R2_SESSION_TOKEN = "", R2_ACCESS_KEY_ID = "" } = b;
    const mixed = { ...a, R2_SESSION_TOKEN, R2_ACCESS_KEY_ID };
    expect(await statusOf(get(mixed, `${b.R2_PREFIX}own`))).toBe(403);
  });

  test.each([
    ["widened to all builds", { paths: { prefixPaths: ["builds/"], objectPaths: [] } }],
    ["without a prefix", { paths: undefined }],
    ["that lives longer", { exp: Math.floor(Date.now() / 1000) + 600_000 }],
  ])("a session token %s, signed with what the build knows, is 401", async (_, change) => {
    const jwt = Buffer.from(a.R2_SESSION_TOKEN ?? "", "base64")
      .toString()
      .slice("jwt/".length);
    const claims = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
    const forged = await new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(Buffer.from(a.R2_SECRET_ACCESS_KEY ?? ""));
    const { createHash } = await import("node:crypto");
    const env = {
      ...a,
      R2_SESSION_TOKEN: Buffer.from(`jwt/${forged}`).toString("base64"),
      R2_SECRET_ACCESS_KEY: createHash("sha256").update(forged).digest("hex"),
    };
    expect(await statusOf(get(env, `${b.R2_PREFIX}own`))).toBe(401);
  });

  test("an unsigned token (alg none) is 401", async () => {
    const jwt = Buffer.from(a.R2_SESSION_TOKEN ?? "", "base64")
      .toString()
      .slice("jwt/".length);
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    const forged = `${header}.${jwt.split(".")[1]}.`;
    const { createHash } = await import("node:crypto");
    const env = {
      ...a,
      R2_SESSION_TOKEN: Buffer.from(`jwt/${forged}`).toString("base64"),
      R2_SECRET_ACCESS_KEY: createHash("sha256").update(forged).digest("hex"),
    };
    expect(await statusOf(get(env, `${a.R2_PREFIX}own`))).toBe(401);
  });

  test("after their expiry they are 401, and renewed ones work", async () => {
    const lease = { ...planLease(r2, { credentialTtlSeconds: 60 }), expiresAt: clockMs + 3600_000 };
    const short = await issue(lease);
    await put(short, `${short.R2_PREFIX}x`, "x");
    clockMs += 61_000;
    expect(await statusOf(get(short, `${short.R2_PREFIX}x`))).toBe(401);
    expect(await get(await issue(lease), `${short.R2_PREFIX}x`)).toBe("x");
    clockMs -= 61_000;
  });
});
