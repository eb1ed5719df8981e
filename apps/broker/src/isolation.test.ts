import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createClient } from "@libsql/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, type TestBroker } from "./testing/create-test-broker.ts";

// What a build was lent, used with the clients an app would use, on what belongs to another build.

type Env = Record<string, string>;

let broker: TestBroker;
const builds: { id: string; env: Env }[] = [];

beforeAll(async () => {
  broker = await createTestBroker({ emulators: ["turso", "r2"] });
  await broker.putOrgKeys();
  for (let count = 0; count < 2; count++) {
    const { id } = await broker.createBuild({ connectors: ["turso", "r2"] });
    builds.push({ id, env: await broker.readEnv(id) });
  }
  for (const { env } of builds) {
    await database(env).execute("CREATE TABLE secrets (value TEXT)");
    await database(env).execute("INSERT INTO secrets VALUES ('mine')");
    await storage(env).send(new PutObjectCommand({ ...object(env, "file.txt"), Body: "mine" }));
  }
});
afterAll(() => broker.close());

const a = () => builds[0]?.env ?? expect.fail();
const b = () => builds[1]?.env ?? expect.fail();
const name = (env: Env, key: string) => env[key] ?? expect.fail(`${key} was not issued`);
const database = (env: Env, url = name(env, "TURSO_DATABASE_URL")) =>
  createClient({ url, authToken: name(env, "TURSO_AUTH_TOKEN") });
const object = (env: Env, key: string) => ({
  Bucket: name(env, "R2_BUCKET"),
  Key: name(env, "R2_PREFIX") + key,
});

function storage(env: Env, changes: { sessionToken?: string | undefined } = {}): S3Client {
  const sessionToken = "sessionToken" in changes ? changes.sessionToken : name(env, "R2_SESSION_TOKEN");
  return new S3Client({
    endpoint: name(env, "R2_ENDPOINT"),
    region: "auto",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: name(env, "R2_ACCESS_KEY_ID"),
      secretAccessKey: name(env, "R2_SECRET_ACCESS_KEY"),
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  });
}

/** The HTTP status a refused call ended with. */
async function refusal(call: Promise<unknown>): Promise<number> {
  try {
    await call;
  } catch (error) {
    const shaped = error as { $metadata?: { httpStatusCode?: number }; cause?: { status?: number } };
    return (
      shaped.$metadata?.httpStatusCode ?? shaped.cause?.status ?? expect.fail(`no status: ${String(error)}`)
    );
  }
  return 200;
}

describe("a build's database token", () => {
  it("reads and writes its own database over HTTP and WebSocket", async () => {
    const { rows } = await database(a()).execute("SELECT value FROM secrets");
    expect(rows[0]?.[0]).toBe("mine");
    const socket = database(a(), name(a(), "TURSO_DATABASE_URL").replace(/^http/, "ws"));
    expect((await socket.execute("SELECT count(*) FROM secrets")).rows[0]?.[0]).toBe(1);
    socket.close();
  });

  it("is refused on another build's database", async () => {
    const foreign = database(a(), name(b(), "TURSO_DATABASE_URL"));
    expect([401, 403, 404]).toContain(await refusal(foreign.execute("SELECT value FROM secrets")));
  });

  it("is refused on another build's database over WebSocket", async () => {
    const foreign = database(a(), name(b(), "TURSO_DATABASE_URL").replace(/^http/, "ws"));
    await expect(foreign.execute("SELECT value FROM secrets")).rejects.toThrow();
    foreign.close();
  });

  it("does not attach another database", async () => {
    await expect(database(a()).execute("ATTACH DATABASE 'main' AS other")).rejects.toThrow();
  });
});

describe("a build's storage credential", () => {
  it("puts, reads, lists and deletes under its own prefix", async () => {
    const client = storage(a());
    await client.send(new PutObjectCommand({ ...object(a(), "own.txt"), Body: "x" }));
    const { Prefix, Bucket } = { Bucket: name(a(), "R2_BUCKET"), Prefix: name(a(), "R2_PREFIX") };
    const listed = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
    expect(listed.Contents?.map(({ Key }) => Key)).toContain(object(a(), "own.txt").Key);
    await client.send(new DeleteObjectCommand(object(a(), "own.txt")));
    expect(await refusal(client.send(new GetObjectCommand(object(a(), "own.txt"))))).toBe(404);
  });

  const sibling = () => ({
    Bucket: name(a(), "R2_BUCKET"),
    Key: `${name(a(), "R2_PREFIX").slice(0, -1)}0/file.txt`,
  });
  const copySource = () => `${object(b(), "file.txt").Bucket}/${object(b(), "file.txt").Key}`;

  it.each<[string, () => Promise<unknown>]>([
    [
      "reading another build's object",
      () => storage(a()).send(new GetObjectCommand(object(b(), "file.txt"))),
    ],
    [
      "writing under another build's prefix",
      () => storage(a()).send(new PutObjectCommand({ ...object(b(), "x"), Body: "x" })),
    ],
    [
      "deleting another build's object",
      () => storage(a()).send(new DeleteObjectCommand(object(b(), "file.txt"))),
    ],
    [
      "writing to the sibling prefix that starts with its id",
      () => storage(a()).send(new PutObjectCommand({ ...sibling(), Body: "x" })),
    ],
    [
      "listing the bucket",
      () => storage(a()).send(new ListObjectsV2Command({ Bucket: name(a(), "R2_BUCKET") })),
    ],
    [
      "listing above its prefix",
      () =>
        storage(a()).send(new ListObjectsV2Command({ Bucket: name(a(), "R2_BUCKET"), Prefix: "builds/" })),
    ],
    [
      "listing a prefix without its slash",
      () =>
        storage(a()).send(
          new ListObjectsV2Command({
            Bucket: name(a(), "R2_BUCKET"),
            Prefix: name(a(), "R2_PREFIX").slice(0, -1),
          }),
        ),
    ],
    ["listing buckets", () => storage(a()).send(new ListBucketsCommand({}))],
    [
      "copying from another build",
      () => storage(a()).send(new CopyObjectCommand({ ...object(a(), "stolen"), CopySource: copySource() })),
    ],
    [
      "copying to another build",
      () =>
        storage(a()).send(
          new CopyObjectCommand({
            ...object(b(), "x"),
            CopySource: `${name(a(), "R2_BUCKET")}/${object(a(), "file.txt").Key}`,
          }),
        ),
    ],
    [
      "starting an upload elsewhere",
      () => storage(a()).send(new CreateMultipartUploadCommand(object(b(), "big"))),
    ],
    [
      "no session token",
      () => storage(a(), { sessionToken: undefined }).send(new GetObjectCommand(object(a(), "file.txt"))),
    ],
    [
      "another build's session token",
      () =>
        storage(a(), { sessionToken: name(b(), "R2_SESSION_TOKEN") }).send(
          new GetObjectCommand(object(a(), "file.txt")),
        ),
    ],
  ])("is denied %s", async (_what, call) => {
    expect([401, 403]).toContain(await refusal(call()));
  });

  it("is denied an upload part copied from another build", async () => {
    const client = storage(a());
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object(a(), "parts")));
    const part = { ...object(a(), "parts"), UploadId, PartNumber: 1, CopySource: copySource() };
    expect(await refusal(client.send(new UploadPartCopyCommand(part)))).toBe(403);
  });

  it("deletes nothing of another build in a mixed bulk delete", async () => {
    const Objects = [{ Key: object(a(), "none").Key }, { Key: object(b(), "file.txt").Key }];
    await refusal(
      storage(a()).send(new DeleteObjectsCommand({ Bucket: name(a(), "R2_BUCKET"), Delete: { Objects } })),
    );
    const kept = await storage(b()).send(new GetObjectCommand(object(b(), "file.txt")));
    expect(await kept.Body?.transformToString()).toBe("mine");
  });

  it("is denied a presigned URL for another build's object, and given its own", async () => {
    const own = await getSignedUrl(storage(a()), new GetObjectCommand(object(a(), "file.txt")), {
      expiresIn: 60,
    });
    const foreign = await getSignedUrl(storage(a()), new GetObjectCommand(object(b(), "file.txt")), {
      expiresIn: 60,
    });
    expect([(await fetch(own)).status, (await fetch(foreign)).status]).toEqual([200, 403]);
  });
});

describe("after a build was closed", () => {
  it("its database and storage credentials are dead, and the other build's live on", async () => {
    const { id } = await broker.createBuild({ connectors: ["turso", "r2"] });
    const env = await broker.readEnv(id);
    await storage(env).send(new PutObjectCommand({ ...object(env, "file.txt"), Body: "x" }));
    const presigned = await getSignedUrl(storage(env), new GetObjectCommand(object(env, "file.txt")), {
      expiresIn: 600,
    });
    const socket = database(env, name(env, "TURSO_DATABASE_URL").replace(/^http/, "ws"));
    await socket.execute("SELECT 1");
    expect((await broker.call("DELETE", `/v1/builds/${id}`)).status).toBe(200);

    await expect(socket.execute("SELECT 1")).rejects.toThrow();
    await expect(database(env).execute("SELECT 1")).rejects.toThrow();
    expect([401, 403]).toContain(
      await refusal(storage(env).send(new PutObjectCommand({ ...object(env, "late"), Body: "x" }))),
    );
    expect([401, 403]).toContain(
      await refusal(storage(env).send(new GetObjectCommand(object(env, "file.txt")))),
    );
    expect([401, 403]).toContain((await fetch(presigned)).status);
    expect((await database(b()).execute("SELECT count(*) FROM secrets")).rows[0]?.[0]).toBe(1);
    const kept = await storage(b()).send(new GetObjectCommand(object(b(), "file.txt")));
    expect(await kept.Body?.transformToString()).toBe("mine");
  });
});
