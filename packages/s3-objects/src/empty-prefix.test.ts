import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { emptyPrefix, type ObjectStore, openObjectStore } from "./index.ts";
import {
  bucketName,
  optionsOf,
  startTestBucket,
  type TestBucket,
  testContext,
} from "./testing/test-bucket.ts";

const Bucket = bucketName;
const prefix = "builds/one/";
const entriesMax = 20;
const context = testContext();

let bucket: TestBucket;
let store: ObjectStore;
beforeAll(async () => {
  bucket = await startTestBucket({ entriesMax });
  store = await openObjectStore({ ...optionsOf(context, bucket.values), socketSignal: context.signal });
});
afterAll(() => bucket.close());
beforeEach(() => bucket.intercept(undefined));

const put = (key: string) => bucket.put(key, Buffer.from("x"));
const empty = () => emptyPrefix(store, prefix);
const left = async (Prefix: string) => {
  const objects = await bucket.sdk.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const uploads = await bucket.sdk.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  return (objects.KeyCount ?? 0) + (uploads.Uploads?.length ?? 0);
};
/** Answers 200 with these documents in turn, the last one for ever, to requests of one method. */
const lie = (method: string, ...documents: readonly string[]) => {
  const waiting = [...documents];
  bucket.intercept((asked) => {
    const body = waiting.length > 1 ? waiting.shift() : waiting[0];
    const headers = { "content-type": "application/xml" };
    return asked === method
      ? { when: "before", answer: { status: 200, headers, body: body ?? "" } }
      : undefined;
  });
};

describe("emptying a prefix", () => {
  test("deletes more objects than one call can take, and every unfinished upload", async () => {
    await Promise.all(Array.from({ length: 2 * entriesMax + 3 }, (_, at) => put(`${prefix}many/${at}`)));
    const begin = (name: string) =>
      bucket.sdk.send(new CreateMultipartUploadCommand({ Bucket, Key: `${prefix}${name}` }));
    await Promise.all([begin("twice"), begin("twice"), begin("x/../y"), begin("bell\u0007")]);
    await empty();
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
    await put(`${prefix}${name}`);
    await empty();
    expect(await left(prefix)).toBe(0);
  });

  test("deletes by its address what XML cannot carry", async () => {
    await put(`${prefix}bell\u0007`);
    const methods = new Set<string>();
    bucket.intercept((method) => {
      methods.add(method);
      return undefined;
    });
    await empty();
    expect(methods).toEqual(new Set(["GET", "DELETE"]));
  });

  test("leaves what is beside the prefix", async () => {
    await put("builds/one0/kept");
    await empty();
    expect(await left("builds/one0/")).toBe(1);
  });

  test("fails rather than trust a 200 that lists keys outside it", async () => {
    await put("builds/other/key");
    lie(
      "GET",
      `<ListMultipartUploadsResult><Bucket>${Bucket}</Bucket><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`,
      `<ListBucketResult><Name>${Bucket}</Name><IsTruncated>false</IsTruncated><Contents><Key>builds/other/key</Key><Size>1</Size></Contents></ListBucketResult>`,
    );
    await expect(empty()).rejects.toMatchObject({ code: "invalid_response" });
    bucket.intercept(undefined);
    expect(await left("builds/other/")).toBe(1);
  });

  test("fails, and says so, when a 200 answer holds errors for single keys", async () => {
    await put(`${prefix}stuck`);
    lie(
      "POST",
      `<DeleteResult><Error><Key>${prefix}stuck</Key><Code>InternalError</Code></Error></DeleteResult>`,
    );
    await expect(empty()).rejects.toMatchObject({ code: "unavailable", retryable: true });
    bucket.intercept(undefined);
    await empty();
    expect(await left(prefix)).toBe(0);
  });

  test("does not believe a deletion that left everything in place", async () => {
    await put(`${prefix}stays`);
    lie("POST", `<DeleteResult><Deleted><Key>${prefix}stays</Key></Deleted></DeleteResult>`);
    await expect(empty()).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("without a socket", () => {
  test.each(["a/../b", "./a", "a/."])(
    "a key that fetch would change is refused, and nothing else removed: %s",
    async (key) => {
      await put("beside");
      await put("a/b");
      const plain = await openObjectStore(optionsOf(context, bucket.values));
      await expect(plain.remove(key)).rejects.toMatchObject({ code: "invalid_response" });
      expect([await left("beside"), await left("a/b")]).toEqual([1, 1]);
    },
  );
});
