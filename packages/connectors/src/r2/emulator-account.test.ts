import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { signCredentials } from "./credentials.ts";
import { emulatorBucket, type R2Emulator, startEmulator } from "./emulator.ts";
import { s3ClientOf, statusOf } from "./testing/lent-storage.ts";

let stateDirectory: string;
let emulator: R2Emulator;
let clockMs: number;

const start = async () => {
  emulator = await startEmulator({ stateDirectory, port: 0, now: () => clockMs });
};
beforeEach(async () => {
  clockMs = Date.now();
  stateDirectory = await mkdtemp(join(tmpdir(), "keyloan-r2-"));
  await start();
});
afterEach(async () => {
  await emulator.close();
  await rm(stateDirectory, { recursive: true });
});

type Answer = {
  status: number;
  body: {
    success: boolean;
    errors: { code: number }[];
    result: { id: string; value: string; name: string }[] & { id: string; value: string };
    result_info?: unknown;
  };
};
async function ask(
  method: string,
  path: string,
  body?: unknown,
  key = emulator.orgFields.apiToken,
): Promise<Answer> {
  const accountId = emulator.orgFields.accountId;
  const response = await fetch(`${emulator.baseUrl}/client/v4/accounts/${accountId}/tokens${path}`, {
    method,
    headers: key === "" ? {} : { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}
async function tokenBody(changes: object = {}, access = "Write", bucket = emulatorBucket) {
  const name = `Workers R2 Storage Bucket Item ${access}`;
  const groups = await ask("GET", `/permission_groups?name=${encodeURIComponent(name)}`);
  const id = groups.body.result[0]?.id;
  const resources = {
    [`com.cloudflare.edge.r2.bucket.${emulator.orgFields.accountId}_default_${bucket}`]: "*",
  };
  return { name: "one", policies: [{ effect: "allow", permission_groups: [{ id }], resources }], ...changes };
}
/** What there is besides the org's own two. */
const madeNow = async () => (await ask("GET", "")).body.result.filter(({ name }) => name !== "keyloan");
const make = async (...given: Parameters<typeof tokenBody>) =>
  (await ask("POST", "", await tokenBody(...given))).body.result;
const keyOf = ({ id, value }: { id: string; value: string }) => ({
  R2_ENDPOINT: emulator.baseUrl,
  R2_REGION: "auto",
  R2_ACCESS_KEY_ID: id,
  R2_SECRET_ACCESS_KEY: createHash("sha256").update(value).digest("hex"),
});
async function use(env: Record<string, string>, method: "get" | "put" | "list", Bucket = emulatorBucket) {
  const client = s3ClientOf(env);
  const Key = "builds/x/key";
  const work = {
    get: () => client.send(new GetObjectCommand({ Bucket, Key })),
    put: () => client.send(new PutObjectCommand({ Bucket, Key, Body: "x" })),
    list: () => client.send(new ListObjectsV2Command({ Bucket })),
  }[method]();
  const status = await statusOf(work);
  client.destroy();
  return status;
}
async function signedWith(env: ReturnType<typeof keyOf>, bucket = emulatorBucket) {
  const issuedAtSeconds = Math.floor(clockMs / 1000);
  const credentials = await signCredentials({
    accountId: emulator.orgFields.accountId ?? "",
    endpointHost: new URL(emulator.baseUrl).host,
    bucket,
    prefixes: ["builds/x/"],
    parentAccessKeyId: env.R2_ACCESS_KEY_ID,
    parentSecretAccessKey: env.R2_SECRET_ACCESS_KEY,
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + 600,
  });
  return {
    ...env,
    R2_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    R2_SESSION_TOKEN: credentials.sessionToken,
  };
}

describe("the token API", () => {
  test.each([
    ["without a token", ""],
    ["with an unknown one", "x".repeat(40)],
  ])("answers %s as Cloudflare does", async (_, key) => {
    expect(await ask("GET", "", undefined, key)).toEqual({
      status: 401,
      body: {
        success: false,
        errors: [{ code: 10000, message: "Authentication error" }],
        messages: [],
        result: null,
      },
    });
  });

  test("knows a bucket's token, and lets it do nothing here", async () => {
    const { id, value } = await make();
    expect(await ask("GET", "/verify", undefined, value)).toMatchObject({
      status: 200,
      body: { result: { id, status: "active" } },
    });
    const refused = await Promise.all([
      ask("GET", "", undefined, value),
      ask("POST", "", await tokenBody(), value),
      ask("DELETE", `/${id}`, undefined, value),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test("lists in pages, oldest or newest first", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await make({ name });
    const names = async (query: string) =>
      (await ask("GET", query)).body.result.map(({ name }) => name).join("");
    expect(await names("?per_page=5&direction=asc")).toBe("keyloankeyloanabc");
    expect(await names("?per_page=5&page=2&direction=asc")).toBe("de");
    expect(await names("?per_page=5&page=3")).toBe("");
    expect(await names("?per_page=5")).toBe("edcba");
    const { body } = await ask("GET", "?per_page=5&page=2");
    expect(body.result_info).toEqual({ page: 2, per_page: 5, count: 2, total_count: 7 });
    expect((await ask("GET", "?per_page=51")).status).toBe(400);
    expect(JSON.stringify(body)).not.toMatch(/"value"|secret/i);
  });

  test.each([
    [
      "a policy with a condition it would not enforce",
      { condition: { request_ip: { in: ["127.0.0.1/32"] } } },
    ],
    ["a start it would not enforce", { not_before: "2030-01-01T00:00:00Z" }],
    ["an end that is over", { expires_on: "2020-01-01T00:00:00Z" }],
    ["an end with fractions of a second", { expires_on: "2099-01-01T00:00:00.000Z" }],
    ["no policy", { policies: [] }],
    ["no name", { name: "" }],
    [
      "a resource that is no bucket of the account",
      {
        policies: [
          {
            effect: "allow",
            permission_groups: [{ id: "x" }],
            resources: { "com.cloudflare.api.account.x": "*" },
          },
        ],
      },
    ],
  ])("refuses %s", async (_, changes) => {
    expect((await ask("POST", "", await tokenBody(changes))).status).toBe(400);
    expect(await madeNow()).toEqual([]);
  });

  test("answers 404 for a token that is gone", async () => {
    const { id } = await make();
    expect([(await ask("DELETE", `/${id}`)).status, (await ask("DELETE", `/${id}`)).status]).toEqual([
      200, 404,
    ]);
  });
});

describe("a token as an S3 key", () => {
  test("reads and writes its bucket, and no other", async () => {
    const key = keyOf(await make());
    expect([await use(key, "put"), await use(key, "get"), await use(key, "list")]).toEqual([200, 200, 200]);
    const elsewhere = keyOf(await make({}, "Write", "another-bucket"));
    expect([await use(elsewhere, "get"), await use(elsewhere, "list")]).toEqual([403, 403]);
  });

  test("of read access does not write, nor does what it signed", async () => {
    const key = keyOf(await make({}, "Read"));
    expect([await use(key, "put"), await use(key, "list")]).toEqual([403, 200]);
    expect(await use(await signedWith(key), "put")).toBe(403);
  });

  test("signs nothing for a bucket that it does not reach itself", async () => {
    const key = keyOf(await make({}, "Write", "another-bucket"));
    expect(await use(await signedWith(key, emulatorBucket), "put")).toBe(403);
  });

  test("ends with all it signed when it expires", async () => {
    const soon = new Date(clockMs + 60_000).toISOString().replace(/\.\d+Z$/, "Z");
    const key = keyOf(await make({ expires_on: soon }));
    const signed = await signedWith(key);
    expect([await use(key, "put"), await use(signed, "put")]).toEqual([200, 200]);
    clockMs += 61_000;
    expect([await use(key, "put"), await use(signed, "put")]).toEqual([401, 401]);
    expect(await madeNow()).toEqual([]);
  });

  test("ends with all it signed when it is deleted, also after a restart; others live on", async () => {
    const [dead, alive] = [await make(), await make()];
    expect(await use(await signedWith(keyOf(dead)), "put")).toBe(200);
    await ask("DELETE", `/${dead.id}`);
    expect([await use(keyOf(dead), "put"), await use(await signedWith(keyOf(dead)), "put")]).toEqual([
      401, 401,
    ]);
    await emulator.close();
    await start();
    expect([await use(keyOf(dead), "put"), await use(await signedWith(keyOf(dead)), "put")]).toEqual([
      401, 401,
    ]);
    expect([await use(keyOf(alive), "put"), await use(await signedWith(keyOf(alive)), "put")]).toEqual([
      200, 200,
    ]);
  });

  test("is kept in files of the owner alone", async () => {
    await make();
    const files = (await readdir(stateDirectory, { withFileTypes: true })).filter((entry) => entry.isFile());
    const paths = files.map(({ name }) => join(stateDirectory, name));
    const modes = await Promise.all(paths.map(async (path) => (await stat(path)).mode & 0o777));
    expect(new Set(modes)).toEqual(new Set([0o600]));
  });
});
