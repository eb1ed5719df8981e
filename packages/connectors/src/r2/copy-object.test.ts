import { createHash, randomBytes } from "node:crypto";
import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { type ConnectorContext, type SecretValues, secretValues } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openEmulatorTarget, orgCredential, planLease, testContext } from "../kit/testing/index.ts";
import { type R2Emulator, startEmulator } from "./emulator.ts";
import { valuesAccess } from "./endpoint.ts";
import { r2 } from "./index.ts";
import { openStorage } from "./storage-client.ts";
import { envOf, s3ClientOf, storageTestClient } from "./testing/lent-storage.ts";

let target: Awaited<ReturnType<typeof openEmulatorTarget>>;
let emulator: R2Emulator;
let lent: SecretValues;
let own: SecretValues;
const mebibyte = 1024 * 1024;
const large = randomBytes(9 * mebibyte);

beforeAll(async () => {
  target = await openEmulatorTarget(async (options) => {
    emulator = await startEmulator({ ...options, userBytesMax: 20 * mebibyte });
    return emulator;
  });
  const org = await orgCredential(r2, context(), target.orgFields);
  lent = (await r2.issuer?.issue(context(), org, planLease(r2, {}))) ?? expect.fail();
  await put("large", large);
});
afterAll(() => target.close());
beforeEach(async () => {
  target.emulator.faults.clear();
  own = secretValues(await target.emulator.createUserEnv());
});

const context = (changes: Partial<ConnectorContext> = {}) =>
  testContext({ baseUrl: target.baseUrl, ...changes });
const put = (key: string, bytes: Uint8Array) => storageTestClient.put(lent, key, bytes);
type Given = { from?: Partial<ConnectorContext>; to?: Partial<ConnectorContext>; over?: string };
const copy = (key: string, { from = {}, to = {}, over }: Given = {}) =>
  r2.storage?.copy(
    { context: context(from), values: lent },
    { context: context(to), values: own },
    { key, bytes: 0 },
    undefined,
    over,
  );
const hashOf = async (key: string) =>
  (await r2.storage?.hash(context(), own, key)) ?? expect.fail("no object");
const sumOf = (bytes: Uint8Array) => ({
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});
/** What is there of a key that was not copied: an object, or parts. */
const left = async (key: string) => [
  (await storageTestClient.get(own, key))?.bytes.length,
  await storageTestClient.pending(own),
];
const nothing = [undefined, 0];
const fault = (given: Parameters<typeof target.emulator.faults.add>[0], times?: number) =>
  target.emulator.faults.add({ ...given, path: /^\/my-app\// }, times);

type Answering = (url: URL, init: RequestInit, answer: () => Promise<Response>) => Promise<Response>;
/** A fetch that stands between; by default it hands on what the store answers. */
const between = (answering: Answering): Partial<ConnectorContext> => ({
  fetch: (input, init = {}) => answering(new URL(String(input)), init, () => fetch(input, init)),
});
async function withHeaders(response: Response, headers: Readonly<Record<string, string>>): Promise<Response> {
  const { status } = response;
  const changed = new Headers(response.headers);
  for (const [name, value] of Object.entries(headers)) changed.set(name, value);
  return new Response([204, 304].includes(status) ? null : await response.arrayBuffer(), {
    status,
    headers: changed,
  });
}

describe("an object that goes in parts", () => {
  test("is sent in parts of one size, each with its checksum, and read in pieces that every fetch lets through", async () => {
    const parts: [number, string | null][] = [];
    const pieces: number[] = [];
    const to = between(async (_url, init, answer) => {
      const headers = new Headers(init.headers);
      if (init.method === "PUT" && init.body instanceof Uint8Array)
        parts.push([init.body.length, headers.get("x-amz-checksum-sha256")]);
      return answer();
    });
    const from = between(async (_url, init, answer) => {
      const response = await answer();
      if (init.method === "GET") pieces.push(Number(response.headers.get("content-length")));
      return response;
    });
    const three = Buffer.concat([large, large.subarray(0, 8 * mebibyte)]);
    await put("three", three);
    expect(await copy("three", { from, to })).toEqual(sumOf(three));
    const sizes = [8 * mebibyte, 8 * mebibyte, mebibyte];
    const sums = sizes.map((size, part) => {
      const bytes = three.subarray(part * 8 * mebibyte, part * 8 * mebibyte + size);
      return [size, createHash("sha256").update(bytes).digest("base64")];
    });
    expect(parts).toEqual(sums);
    expect(Math.max(...pieces)).toBe(4 * mebibyte);
    expect((await storageTestClient.get(own, "three"))?.bytes.equals(three)).toBe(true);
    expect(await storageTestClient.pending(own)).toBe(0);
  });

  test.each([
    ["refuses the beginning", { kind: "status", method: "POST", status: 403 }, "forbidden"],
    ["answers nothing to the beginning", { kind: "cut_after", method: "POST" }, "network"],
    ["refuses a part", { kind: "status", method: "PUT", status: 403 }, "forbidden"],
    ["is down for a part", { kind: "status", method: "PUT", status: 503 }, "unavailable"],
    ["is cut off in a part", { kind: "cut", method: "PUT" }, "network"],
    ["answers nothing to a part", { kind: "cut_after", method: "PUT" }, "network"],
    ["is full", { kind: "status", method: "PUT", status: 507 }, "quota_exceeded"],
    ["tells no tag of a part", { kind: "status", method: "PUT", status: 200 }, "invalid_response"],
  ] as const)("leaves nothing when the target %s", async (_, given, code) => {
    fault(given);
    await expect(copy("large")).rejects.toMatchObject({
      code,
      message: expect.stringContaining("target"),
    });
    expect(await left("large")).toEqual(nothing);
  });

  test.each([
    ["is refused", 403, "<Error><Code>AccessDenied</Code></Error>"],
    ["fails with a 200", 200, "<Error><Code>InternalError</Code></Error>"],
    ["is answered with nonsense", 200, "<html></html>"],
  ])("leaves nothing when its end %s", async (_, status, body) => {
    const to = between(async (url, init, answer) =>
      init.method === "POST" && url.searchParams.has("uploadId") ? new Response(body, { status }) : answer(),
    );
    await expect(copy("large", { to })).rejects.toMatchObject({ name: "ProviderError" });
    expect(await left("large")).toEqual(nothing);
  });

  test("leaves nothing when the target is full halfway, and says so", async () => {
    await put("huge", Buffer.concat([large, large, large]));
    await expect(copy("huge")).rejects.toMatchObject({
      code: "quota_exceeded",
      retryable: false,
      message: expect.stringContaining("target"),
      remedy: expect.stringContaining("make room"),
    });
    expect(await left("huge")).toEqual(nothing);
  });

  test("leaves nothing when the caller gives up", async () => {
    const controller = new AbortController();
    let sent = 0;
    const to = between(async (_url, init, answer) => {
      if (init.method === "PUT" && ++sent === 2) controller.abort(new DOMException("enough", "AbortError"));
      return answer();
    });
    const { signal } = controller;
    await expect(copy("large", { from: { signal }, to: { ...to, signal } })).rejects.toMatchObject({
      code: "timeout",
    });
    expect(await left("large")).toEqual(nothing);
  });

  test("leaves nothing when the source fails halfway", async () => {
    let reads = 0;
    const from = between(async (_url, init, answer) =>
      init.method === "GET" && ++reads === 3 ? new Response("", { status: 503 }) : answer(),
    );
    await expect(copy("large", { from })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("source"),
    });
    expect(await left("large")).toEqual(nothing);
  });

  test("ends no upload that somebody else began, also none of the same key", async () => {
    const env = envOf(own);
    const client = s3ClientOf({ R2_REGION: "auto", ...env });
    for (const Key of ["large", "large", "larger", "other"]) {
      await client.send(new CreateMultipartUploadCommand({ Bucket: env.R2_BUCKET, Key }));
    }
    client.destroy();
    await copy("large");
    fault({ kind: "cut_after", method: "POST" });
    await expect(copy("large", { over: (await hashOf("large")).version })).rejects.toMatchObject({
      code: "network",
    });
    expect(await storageTestClient.pending(own)).toBe(4);
  });

  test("arrives also where uploads cannot be listed", async () => {
    const to = between(async (url, _init, answer) =>
      url.searchParams.has("uploads") && !url.pathname.includes("large")
        ? new Response("<Error><Code>NotImplemented</Code></Error>", { status: 501 })
        : answer(),
    );
    expect(await copy("large", { to })).toEqual(sumOf(large));
  });
});

describe("what arrived", () => {
  const bytes = Buffer.from("the right bytes");
  beforeEach(() => put("file", bytes));

  test("is refused by the store when it was altered on its way", async () => {
    const to = between(async (_url, init, answer) => {
      if (init.method !== "PUT" || !(init.body instanceof Uint8Array)) return answer();
      return fetch(_url, { ...init, body: Buffer.from("the wrong bytes") });
    });
    await expect(copy("file", { to })).rejects.toMatchObject({ code: "invalid_response" });
    expect(await left("file")).toEqual(nothing);
  });

  test("is removed when the store tells the checksum of something else", async () => {
    const lie = createHash("sha256").update("else").digest("base64");
    const to = between(async (_url, init, answer) => {
      const response = await answer();
      return init.method === "PUT" ? withHeaders(response, { "x-amz-checksum-sha256": lie }) : response;
    });
    await expect(copy("file", { to })).rejects.toMatchObject({ code: "invalid_response", retryable: false });
    expect(await left("file")).toEqual(nothing);
    await expect(copy("large", { to })).rejects.toMatchObject({ code: "invalid_response" });
    expect(await left("large")).toEqual(nothing);
  });

  test("is read back when the tag is of another kind, and is then believed or not", async () => {
    let reads = 0;
    const tagged = (isStored: boolean) =>
      between(async (_url, init, answer) => {
        if (init.method === "GET") reads += 1;
        if (init.method !== "PUT") return answer();
        const response = isStored ? await answer() : new Response("", { status: 200 });
        return withHeaders(response, { etag: '"of-another-kind"' });
      });
    expect(await copy("file", { to: tagged(true) })).toEqual(sumOf(bytes));
    expect(reads).toBe(1);
    await put("file", Buffer.from("newer"));
    await expect(copy("file", { to: tagged(false) })).rejects.toMatchObject({ code: "invalid_response" });
    // What is there is what was there before: it is not removed.
    expect(await left("file")).toEqual([bytes.length, 0]);
  });

  test("is not removed when somebody put something of theirs in its place since", async () => {
    const lie = createHash("sha256").update("else").digest("base64");
    const to = between(async (_url, init, answer) => {
      const response = await answer();
      if (init.method !== "PUT") return response;
      await storageTestClient.put(own, "file", Buffer.from("theirs"));
      return withHeaders(response, { "x-amz-checksum-sha256": lie });
    });
    await expect(copy("file", { to })).rejects.toMatchObject({ code: "invalid_response" });
    expect((await storageTestClient.get(own, "file"))?.bytes.toString()).toBe("theirs");
  });

  test.each(["small", "large"])("replaces nothing that came while it was on its way: %s", async (size) => {
    const key = size === "large" ? "large" : "file";
    let came = false;
    const to = between(async (_url, init, answer) => {
      if (init.method === "PUT" && !came) {
        came = true;
        await storageTestClient.put(own, key, Buffer.from("theirs"));
      }
      return answer();
    });
    expect(await copy(key, { to })).toBeUndefined();
    expect(await left(key)).toEqual(["theirs".length, 0]);
  });
});

describe("a source that changes while it is read", () => {
  const changing = (times: number, newest: Buffer): Partial<ConnectorContext> => {
    let changes = 0;
    return between(async (_url, init, answer) => {
      const response = await answer();
      if (init.method === "HEAD" && changes++ < times) await put("changing", newest);
      return response;
    });
  };

  test("is read anew until it stays", async () => {
    await put("changing", large);
    const newest = randomBytes(1000);
    expect(await copy("changing", { from: changing(1, newest) })).toEqual(sumOf(newest));
    expect((await storageTestClient.get(own, "changing"))?.bytes.equals(newest)).toBe(true);
  });

  test("is told when it never stays, and leaves nothing", async () => {
    await put("changing", large);
    let version = 0;
    const from = between(async (_url, init, answer) => {
      const response = await answer();
      if (init.method === "HEAD") await put("changing", Buffer.from(`version ${version++}`));
      return response;
    });
    await expect(copy("changing", { from })).rejects.toMatchObject({
      code: "conflict",
      remedy: expect.stringContaining("stop it"),
    });
    expect(await left("changing")).toEqual(nothing);
  });

  test("is noticed also by a store that knows no conditions", async () => {
    const from = between(async (_url, init, answer) => {
      const response = await answer();
      const isLater = init.method === "GET" && !/bytes 0-/.test(response.headers.get("content-range") ?? "");
      return isLater ? withHeaders(response, { etag: '"another"' }) : response;
    });
    await expect(copy("large", { from })).rejects.toMatchObject({ code: "conflict" });
    expect(await left("large")).toEqual(nothing);
  });
});

describe("an object that is stored packed", () => {
  const packed = { "content-encoding": "gzip", "content-type": "text/plain" };
  const bytes = randomBytes(1000);
  beforeEach(() => storageTestClient.put(lent, "packed", bytes, packed));

  /** What Cloudflare does for whoever takes nothing packed. */
  const unpacking = (isUnpacked: (url: URL, init: RequestInit) => boolean) =>
    between(async (url, init, answer) => {
      const response = await answer();
      const takes = new Headers(init.headers).get("accept-encoding") ?? "";
      if (takes.includes("gzip") || !isUnpacked(url, init)) return response;
      const headers = new Headers(response.headers);
      headers.set("etag", `W/${headers.get("etag")}`);
      for (const name of ["content-length", "content-encoding", "content-range"]) headers.delete(name);
      return new Response(init.method === "HEAD" ? null : "unpacked", { status: 200, headers });
    });

  test("is copied as it is though its length is only told to those who take it packed", async () => {
    const from = unpacking((_url, { method }) => method === "HEAD");
    expect(await copy("packed", { from })).toEqual(sumOf(bytes));
    expect((await storageTestClient.get(own, "packed"))?.headers).toMatchObject(packed);
  });

  test("is refused when its bytes come unpacked whatever is asked", async () => {
    const from = unpacking(() => true);
    await expect(copy("packed", { from })).rejects.toMatchObject({
      code: "rejected",
      remedy: expect.stringContaining("Content-Encoding"),
    });
    expect(await left("packed")).toEqual(nothing);
  });
});

test("headers beyond ASCII arrive as the bytes that they are", async () => {
  const open = async (values: SecretValues) => {
    const { prefix, ...access } = valuesAccess(values);
    return { store: await openStorage(context(), access), key: `${prefix}named` };
  };
  const [source, arrived] = [await open(lent), await open(own)];
  const headers = {
    ContentType: "text/plain",
    ContentDisposition: 'attachment; filename="ключ.txt"',
    Metadata: { author: "Grüße, 🔑" },
  };
  const sha256 = createHash("sha256").update("x").digest("base64");
  await source.store.put(source.key, Buffer.from("x"), sha256, headers);
  await copy("named");
  expect((await arrived.store.head(arrived.key))?.headers).toEqual(headers);
});

test("a folder that is kept as an object of no bytes is no file of the prefix", async () => {
  await put("", Buffer.alloc(0));
  await put("folder/", Buffer.alloc(0));
  const found: string[] = [];
  for await (const { key } of r2.storage?.list(context(), lent) ?? []) found.push(key);
  expect(found).toContain("folder/");
  expect(found).not.toContain("");
  expect(await copy("folder/")).toEqual(sumOf(Buffer.alloc(0)));
});

test.each([
  ["the same mark", (key: string) => `<NextContinuationToken>again</NextContinuationToken>${key}`],
  [
    "the same objects",
    (key: string, page: number) => `<NextContinuationToken>${page}</NextContinuationToken>${key}`,
  ],
])("a listing that goes on with %s is not followed", async (_, more) => {
  const prefix = lent.R2_PREFIX?.reveal();
  let pages = 0;
  const listing = between(async () => {
    const object = `<Contents><Key>${prefix}x</Key><Size>1</Size></Contents>`;
    return new Response(
      `<ListBucketResult><Name>${lent.R2_BUCKET?.reveal()}</Name><IsTruncated>true</IsTruncated>${more(object, pages++)}</ListBucketResult>`,
    );
  });
  const reading = (async () => {
    for await (const _object of r2.storage?.list(context(listing), lent) ?? []);
  })();
  await expect(reading).rejects.toMatchObject({ code: "invalid_response" });
  expect(pages).toBe(2);
});

test("an object is refused that a listing names outside the prefix", async () => {
  const listing = between(
    async () =>
      new Response(
        `<ListBucketResult><Name>${lent.R2_BUCKET?.reveal()}</Name><Contents><Key>builds/other/x</Key><Size>1</Size></Contents></ListBucketResult>`,
      ),
  );
  const first = r2.storage?.list(context(listing), lent)[Symbol.asyncIterator]().next();
  await expect(first).rejects.toMatchObject({ code: "invalid_response" });
});
