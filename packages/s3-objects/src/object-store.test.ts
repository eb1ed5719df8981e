import { inspect } from "node:util";
import { ProviderError, Secret } from "@keyloan/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BucketOptions, type ObjectStore, openObjectStore, probe, writeObject } from "./index.ts";
import { onlyOver } from "./object-store.ts";
import { optionsOf, startTestBucket, type TestBucket, testContext } from "./testing/test-bucket.ts";

let bucket: TestBucket;
let options: BucketOptions;
let store: ObjectStore;
beforeAll(async () => {
  bucket = await startTestBucket();
  options = optionsOf(testContext(), bucket.values);
  store = await openObjectStore(options);
});
afterAll(() => bucket.close());
beforeEach(() => bucket.intercept(undefined));

const bytes = Buffer.from("bytes");
const upload = { key: "key", uploadId: "id" };
const first = async (pages: AsyncIterable<unknown>) => {
  for await (const page of pages) return page;
  return undefined;
};
const mark = "words-of-the-store";
const answer = (status: number, body: string) =>
  bucket.intercept(() => ({
    when: "before",
    answer: { status, headers: { "content-type": "application/xml", "x-amz-meta-x": mark }, body },
  }));

const uses: Readonly<Record<string, (store: ObjectStore, options: BucketOptions) => Promise<unknown>>> = {
  list: (store) => first(store.list("a")),
  listFolders: (store) => first(store.listFolders("a")),
  listUploads: (store) => first(store.listUploads("a")),
  listBuckets: (store) => store.listBuckets(),
  head: (store) => store.head("key"),
  read: (store) => store.read("key", 0),
  put: (store) => store.put("key", bytes),
  begin: (store) => store.begin("key"),
  putPart: (store) => store.putPart(upload, 1, bytes),
  complete: (store) => store.complete(upload, [{ number: 1, etag: '"x"', sha256: undefined }]),
  remove: (store) => store.remove("key"),
  removeMany: (store) => store.removeMany(["key"]),
  abort: (store) => store.abort(upload),
  probe: (_store, options) => probe(options, "a", Date.now()),
};

describe.each(Object.entries(uses))("%s", (name, use) => {
  test.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [429, "rate_limited"],
    [503, "unavailable"],
    [507, "quota_exceeded"],
  ])("tells a %i as what it is, and nothing of the store's words", async (status, code) => {
    answer(status, `<Error><Code>${mark}</Code><Message>${mark}</Message></Error>`);
    const failure = await use(store, options).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "ProviderError", provider: "acme", code, status });
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(mark);
  });

  test.each([`<html>${mark}</html>`, `{"a": "${mark}"}`])(
    "takes no 200 with %j for an answer",
    async (body) => {
      answer(200, body);
      const failure = await use(store, options).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ProviderError);
      expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(mark);
    },
  );

  test("tells a wrong secret as one, and never shows either", async () => {
    const secretAccessKey = Secret.of("another-secret");
    const other = { ...options, secretAccessKey };
    const failure = await use(await openObjectStore(other), other).catch((error: unknown) => error);
    // An answer to HEAD has no body that says why.
    const code = name === "head" ? "forbidden" : "unauthorized";
    expect(failure).toMatchObject({ status: 403, code });
    expect(inspect([failure, other], { depth: 20, showHidden: true })).not.toContain("another-secret");
  });
});

test("a key that works is told by a look", async () => {
  await expect(probe(options, "any/", Date.now())).resolves.toBeUndefined();
});

describe("without a condition", () => {
  test("whatever is there is replaced, whole or in parts", async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 7);
    const object = { store, key: "over", openForCleaning: async () => store };
    for (const content of [bytes, large, bytes]) {
      await writeObject(
        object,
        (async function* () {
          yield content;
        })(),
      );
      expect((await bucket.get("over"))?.bytes.equals(content)).toBe(true);
    }
    expect(await bucket.pending()).toBe(0);
  });

  test("content is closed also when none of it was wanted any more", async () => {
    let isClosed = false;
    async function* content() {
      try {
        for (let piece = 0; piece < 20; piece++) yield Buffer.alloc(1024 * 1024);
      } finally {
        isClosed = true;
      }
    }
    answer(403, "<Error><Code>AccessDenied</Code></Error>");
    const object = { store, key: "refused", openForCleaning: async () => store };
    await expect(writeObject(object, content())).rejects.toMatchObject({ code: "forbidden" });
    expect(isClosed).toBe(true);
  });

  test("a conflict is an error, and with one it is an answer", async () => {
    answer(409, "<Error><Code>ConditionalRequestConflict</Code></Error>");
    await expect(store.put("key", bytes)).rejects.toMatchObject({ code: "conflict" });
    expect(await store.put("key", bytes, { condition: onlyOver(undefined) })).toBeUndefined();
  });
});
