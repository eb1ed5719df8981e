import { createHash, randomBytes } from "node:crypto";
import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { type ConnectorContext, Secret, type SecretValues } from "@keyloan/contract";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openObjectStore } from "./index.ts";
import {
  bucketName,
  optionsOf,
  startTestBucket,
  type TestBucket,
  testContext,
  testStorage,
} from "./testing/test-bucket.ts";

let source: TestBucket;
let own: TestBucket;
let lent: SecretValues;
const prefix = "builds/one/";
const mebibyte = 1024 * 1024;
const large = randomBytes(9 * mebibyte);

beforeAll(async () => {
  source = await startTestBucket();
  lent = { ...source.values, PREFIX: Secret.of(prefix) };
  await put("large", large);
});
afterAll(() => source.close());
beforeEach(async () => {
  own = await startTestBucket({ bytesMax: 20 * mebibyte });
});
afterEach(() => own.close());

const put = (key: string, bytes: Uint8Array, headers = {}) => source.put(`${prefix}${key}`, bytes, headers);
type Given = { from?: Partial<ConnectorContext>; to?: Partial<ConnectorContext>; over?: string };
const copy = (key: string, { from = {}, to = {}, over }: Given = {}) =>
  testStorage.copy(
    { context: testContext(from), values: lent },
    { context: testContext(to), values: own.values },
    { key, bytes: 0 },
    undefined,
    over,
  );
const hashOf = async (key: string) =>
  (await testStorage.hash(testContext(), own.values, key)) ?? expect.fail("no object");
const sumOf = (bytes: Uint8Array) => ({
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});
/** What is there of a key that was not copied: an object, or parts. */
const left = async (key: string) => [(await own.get(key))?.bytes.length, await own.pending()];
const nothing = [undefined, 0];

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
    expect((await own.get("three"))?.bytes.equals(three)).toBe(true);
    expect(await own.pending()).toBe(0);
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
    own.fault(given);
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
      remedy: expect.stringContaining("free some space"),
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
    for (const Key of ["large", "large", "larger", "other"]) {
      await own.sdk.send(new CreateMultipartUploadCommand({ Bucket: bucketName, Key }));
    }
    await copy("large");
    own.fault({ kind: "cut_after", method: "POST" });
    await expect(copy("large", { over: (await hashOf("large")).version })).rejects.toMatchObject({
      code: "network",
    });
    expect(await own.pending()).toBe(4);
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
      await own.put("file", Buffer.from("theirs"));
      return withHeaders(response, { "x-amz-checksum-sha256": lie });
    });
    await expect(copy("file", { to })).rejects.toMatchObject({ code: "invalid_response" });
    expect((await own.get("file"))?.bytes.toString()).toBe("theirs");
  });

  test.each(["small", "large"])("replaces nothing that came while it was on its way: %s", async (size) => {
    const key = size === "large" ? "large" : "file";
    let came = false;
    const to = between(async (_url, init, answer) => {
      if (init.method === "PUT" && !came) {
        came = true;
        await own.put(key, Buffer.from("theirs"));
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
    expect((await own.get("changing"))?.bytes.equals(newest)).toBe(true);
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
      remedy: expect.stringContaining("stop the app"),
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
  beforeEach(() => put("packed", bytes, packed));

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
    expect(await own.get("packed")).toMatchObject({ encoding: "gzip", type: "text/plain" });
  });

  test("is asked for as it is stored, by every request", async () => {
    const asked = new Set<string | null>();
    const noting = between((_url, { headers }, answer) => {
      asked.add(new Headers(headers).get("accept-encoding"));
      return answer();
    });
    await copy("packed", { from: noting, to: noting });
    expect([...asked]).toEqual(["identity"]);
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
  const open = (values: SecretValues) => openObjectStore(optionsOf(testContext(), values));
  const headers = {
    ContentType: "text/plain",
    ContentDisposition: 'attachment; filename="ключ.txt"',
    Metadata: { author: "Grüße, 🔑" },
  };
  await (await open(lent)).put(`${prefix}named`, Buffer.from("x"), { headers });
  await copy("named");
  expect((await (await open(own.values)).head("named"))?.headers).toEqual(headers);
});

test("a folder that is kept as an object of no bytes is no file of the prefix", async () => {
  await put("", Buffer.alloc(0));
  await put("folder/", Buffer.alloc(0));
  const found: string[] = [];
  for await (const { key } of testStorage.list(testContext(), lent)) found.push(key);
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
  let pages = 0;
  const listing = between(async () => {
    const object = `<Contents><Key>${prefix}x</Key><Size>1</Size></Contents>`;
    return new Response(
      `<ListBucketResult><Name>${bucketName}</Name><IsTruncated>true</IsTruncated>${more(object, pages++)}</ListBucketResult>`,
    );
  });
  const reading = (async () => {
    for await (const _object of testStorage.list(testContext(listing), lent));
  })();
  await expect(reading).rejects.toMatchObject({ code: "invalid_response" });
  expect(pages).toBe(2);
});

test("an object is refused that a listing names outside the prefix", async () => {
  const listing = between(
    async () =>
      new Response(
        `<ListBucketResult><Name>${bucketName}</Name><Contents><Key>builds/other/x</Key><Size>1</Size></Contents></ListBucketResult>`,
      ),
  );
  const first = testStorage.list(testContext(listing), lent)[Symbol.asyncIterator]().next();
  await expect(first).rejects.toMatchObject({ code: "invalid_response" });
});
