import {
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listPage } from "./operations/list-page.ts";
import { createKeyIndex } from "./store/key-index.ts";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

const Bucket = "main";
const keys = ["a", "a/1", "a/2", "a/b/1", "a/b/2", "ab", "b c+d", "é", "\uffee", "🔑"];
let gateway: TestGateway;
let client: S3Client;

beforeAll(async () => {
  gateway = await startTestGateway();
  client = gateway.client();
  await Promise.all(keys.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
});
afterAll(() => gateway.dispose());

const list = (input: Partial<ListObjectsV2CommandInput> = {}) =>
  client.send(new ListObjectsV2Command({ Bucket, ...input }));
const shown = ({ Contents = [], CommonPrefixes = [] }: ListObjectsV2CommandOutput) => [
  ...Contents.map(({ Key }) => Key),
  ...CommonPrefixes.map(({ Prefix }) => `${Prefix}*`),
];

describe("listing", () => {
  test("keys come in the order of their UTF-8 bytes", async () => {
    const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(shown(await list())).toEqual(sorted);
  });

  test.each([
    ["a prefix", { Prefix: "a/" }, ["a/1", "a/2", "a/b/1", "a/b/2"]],
    ["a prefix and a delimiter", { Prefix: "a/", Delimiter: "/" }, ["a/1", "a/2", "a/b/*"]],
    ["a delimiter", { Prefix: "a", Delimiter: "/" }, ["a", "ab", "a/*"]],
    ["a place to start after", { StartAfter: "a/2", Prefix: "a" }, ["a/b/1", "a/b/2", "ab"]],
    ["a prefix nothing has", { Prefix: "zzz" }, []],
    ["no entries asked for", { MaxKeys: 0 }, []],
  ])("with %s gives just that", async (_, input, expected) => {
    const page = await list(input);
    expect(shown(page)).toEqual(expected);
    expect(page.IsTruncated).toBe(false);
    expect(page.KeyCount).toBe(expected.length);
  });

  test.each([1, 2, 3, 7, 1000])("pages of %i together give every entry once", async (MaxKeys) => {
    const found: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await list({
        MaxKeys,
        Delimiter: "/",
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      });
      expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
      found.push(...shown(page).map(String));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined && found.length < 50);
    expect(found.toSorted()).toEqual(["a", "a/*", "ab", "b c+d", "é", "\uffee", "🔑"].toSorted());
  });

  test("the first version goes on after a marker", async () => {
    const first = await client.send(new ListObjectsCommand({ Bucket, MaxKeys: 2, Delimiter: "/" }));
    expect([first.IsTruncated, first.NextMarker]).toEqual([true, "a/"]);
    const second = await client.send(
      new ListObjectsCommand({ Bucket, Delimiter: "/", Marker: first.NextMarker, MaxKeys: 1 }),
    );
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(["ab"]);
  });

  test("encoding-type=url percent-encodes keys, so that any key can stand in XML", async () => {
    const page = await list({ Prefix: "b", EncodingType: "url" });
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(["b%20c%2Bd"]);
  });

  test("a continuation token that was not given out is refused", async () => {
    await expect(list({ ContinuationToken: "+++" })).rejects.toMatchObject({ name: "InvalidArgument" });
  });

  test("a page costs the same wherever it starts and however large its groups are", () => {
    const index = createKeyIndex();
    const summary = { size: 0, etag: "", lastModifiedMs: 0 };
    index.load(Array.from({ length: 50_000 }, (_, number) => [`${number % 5}/${number}`, summary] as const));
    let looked = 0;
    const counting = {
      ...index,
      keyAt: (position: number) => {
        looked++;
        return index.keyAt(position);
      },
    };
    const page = listPage(counting, { prefix: "", delimiter: "/", after: "1/", max: 2 });
    expect(page).toMatchObject({ commonPrefixes: ["2/", "3/"], isTruncated: true });
    expect(looked).toBeLessThan(10);
  });
});
