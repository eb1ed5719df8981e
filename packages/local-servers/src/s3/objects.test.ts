import { randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

let gateway: TestGateway;
let client: S3Client;
const Bucket = "main";

beforeAll(async () => {
  gateway = await startTestGateway({ limits: { partBytesMin: 1024 } });
  client = gateway.client();
});
afterAll(() => gateway.dispose());

const put = (Key: string, Body: string | Buffer | Readable, more: Partial<PutObjectCommandInput> = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const read = async (Key: string) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};
const failure = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error) || !("$metadata" in error))
    throw new Error("the call did not fail at the store");
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
  return { name: error.name, status: httpStatusCode };
};

describe("keys", () => {
  test.each([
    ["plain", "plain.txt"],
    ["dots that a path would resolve", "x/../../etc/passwd"],
    ["dot segments alone", "./../."],
    ["repeated slashes", "a//b///c"],
    ["a leading slash", "/leading"],
    ["characters with a meaning in URLs", "q?a=b&c#d%20e+f g;h:i@j"],
    ["characters with a meaning in XML", `<&>"'`],
    ["letters beyond ASCII", "schlüssel/ключ/鍵/🔑"],
    ["the longest key", "k".repeat(1024)],
    ["a device name of another system", "CON/aux.txt:stream"],
    ["line ends and tabs", "line\r\nend\ttab"],
  ])("stores and gives back an object under %s", async (_, key) => {
    const body = randomBytes(32);
    await put(key, body);
    expect(await read(key)).toEqual(body);
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: key }] } }));
    expect(await failure(read(key))).toEqual({ name: "NoSuchKey", status: 404 });
  });

  test("keys that differ in letter case are different objects", async () => {
    await put("Case", "upper");
    await put("case", "lower");
    expect([(await read("Case")).toString(), (await read("case")).toString()]).toEqual(["upper", "lower"]);
  });

  test("a key of more than 1024 bytes is refused", async () => {
    expect(await failure(put("é".repeat(513), "x"))).toEqual({ name: "InvalidObjectName", status: 400 });
  });
});

describe("objects", () => {
  test("headers and metadata come back as they were put", async () => {
    await put("with-headers", "body", {
      ContentType: "text/markdown",
      CacheControl: "max-age=5",
      ContentDisposition: "attachment",
      ContentEncoding: "identity",
      ContentLanguage: "de",
      Metadata: { Owner: "someone", note: "two words" },
    });
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: "with-headers" }))).toMatchObject({
      ContentType: "text/markdown",
      CacheControl: "max-age=5",
      ContentDisposition: "attachment",
      ContentEncoding: "identity",
      ContentLanguage: "de",
      ContentLength: 4,
      ETag: '"841a2d689ad86bd1611447453c22c6fc"',
      Metadata: { owner: "someone", note: "two words" },
    });
  });

  test.each([
    ["0 bytes", 0],
    ["1 byte", 1],
    ["just under one read of the store", 16 * 1024 - 200],
    ["the write buffer", 64 * 1024],
    ["several megabytes", 3 * 1024 * 1024 + 7],
  ])("an object of %s comes back byte for byte, from a buffer and from a stream", async (_, size) => {
    const body = randomBytes(size);
    await put("sized", body);
    expect((await read("sized")).equals(body)).toBe(true);
    const stream = Readable.from(size === 0 ? [] : [body.subarray(0, size >> 1), body.subarray(size >> 1)]);
    await put("streamed", stream, { ContentLength: size });
    expect((await read("streamed")).equals(body)).toBe(true);
  });

  test.each([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=5-500", 206, "56789", "bytes 5-9/10"],
    ["bytes=-500", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=4-2", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
  ])("Range %s answers %i", async (Range, status, text, contentRange) => {
    await put("ranged", "0123456789");
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: "ranged", Range }));
    expect(answer.$metadata.httpStatusCode).toBe(status);
    expect(answer.ContentRange).toBe(contentRange);
    expect(await answer.Body?.transformToString()).toBe(text);
  });

  test("a range outside the object is 416", async () => {
    await put("ranged", "0123456789");
    const work = client.send(new GetObjectCommand({ Bucket, Key: "ranged", Range: "bytes=10-" }));
    expect(await failure(work)).toEqual({ name: "InvalidRange", status: 416 });
  });

  test("a range of a large object is read from the middle of its file", async () => {
    const body = randomBytes(300_000);
    await put("large", body);
    const answer = await client.send(
      new GetObjectCommand({ Bucket, Key: "large", Range: "bytes=100000-250000" }),
    );
    const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(body.subarray(100_000, 250_001))).toBe(true);
  });

  test.each([
    ["If-Match with another ETag", { IfMatch: '"0"' }, 412],
    ["If-None-Match with its ETag", { IfNoneMatch: '"eed5ea6bd7d8f4e4d6ca1c8df4a9fe47"' }, 304],
    ["If-Modified-Since the next day", { IfModifiedSince: new Date(Date.now() + 86_400_000) }, 304],
    ["If-Unmodified-Since long ago", { IfUnmodifiedSince: new Date(0) }, 412],
  ])("reading with %s is answered as HTTP asks", async (_, condition, status) => {
    const { ETag } = await put("conditional", "text");
    const given = "IfNoneMatch" in condition ? { IfNoneMatch: ETag } : condition;
    const work = client.send(new GetObjectCommand({ Bucket, Key: "conditional", ...given }));
    expect((await failure(work)).status).toBe(status);
  });

  test("of many writers with If-None-Match: * exactly one wins", async () => {
    const writers = Array.from({ length: 8 }, (_, index) =>
      put("only-once", `writer ${index}`, { IfNoneMatch: "*" }).then(
        () => 200,
        ({ $metadata }) => $metadata.httpStatusCode,
      ),
    );
    const statuses = await Promise.all(writers);
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
  });

  test("If-Match replaces the object that was read, and no other", async () => {
    const { ETag } = await put("replace", "one");
    await put("replace", "two", { IfMatch: ETag });
    expect(await failure(put("replace", "three", { IfMatch: ETag }))).toMatchObject({ status: 412 });
    expect((await read("replace")).toString()).toBe("two");
  });

  test("an upload whose checksum is false is refused and the old object stays", async () => {
    await put("kept", "old");
    const work = put("kept", "new", { ChecksumSHA256: Buffer.alloc(32).toString("base64") });
    expect(await failure(work)).toEqual({ name: "BadDigest", status: 400 });
    expect((await read("kept")).toString()).toBe("old");
  });

  test.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)(
    "a %s checksum the SDK computes is proven, kept and given back",
    async (ChecksumAlgorithm) => {
      const answer = await put("summed", "123456789", { ChecksumAlgorithm });
      const expected = {
        CRC32: "y/Q5Jg==",
        CRC32C: "4waSgw==",
        SHA1: "98O8HYCOBHMq32eZZczDTKeuNEE=",
        SHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
      }[ChecksumAlgorithm];
      expect(answer[`Checksum${ChecksumAlgorithm}`]).toBe(expected);
      const head = await client.send(
        new HeadObjectCommand({ Bucket, Key: "summed", ChecksumMode: "ENABLED" }),
      );
      expect(head[`Checksum${ChecksumAlgorithm}`]).toBe(expected);
    },
  );

  test.each([
    ["a public ACL", { ACL: "public-read" as const }],
    ["a customer's key", { SSECustomerAlgorithm: "AES256", SSECustomerKey: "k".repeat(32) }],
    ["tags", { Tagging: "a=b" }],
  ])("%s is refused as not implemented instead of being ignored", async (_, more) => {
    expect(await failure(put("refused", "x", more))).toEqual({ name: "NotImplemented", status: 501 });
  });

  test("a private ACL is what every object has", async () => {
    await expect(put("private", "x", { ACL: "private" })).resolves.toBeDefined();
  });

  test("metadata beyond 8192 bytes is refused", async () => {
    const Metadata = { long: "m".repeat(8200) };
    expect(await failure(put("meta", "x", { Metadata }))).toEqual({ name: "MetadataTooLarge", status: 400 });
  });

  test("deleting what is not there succeeds", async () => {
    const answer = await client.send(new DeleteObjectCommand({ Bucket, Key: "never-was" }));
    expect(answer.$metadata.httpStatusCode).toBe(204);
  });

  test("a copy has the data and the metadata of its source, or new metadata on request", async () => {
    await put("source ä", "to copy", { ContentType: "text/css", Metadata: { from: "source" } });
    const CopySource = `${Bucket}/${encodeURIComponent("source ä")}`;
    await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
    const replaced = { MetadataDirective: "REPLACE" as const, Metadata: { from: "request" } };
    await client.send(new CopyObjectCommand({ Bucket, Key: "copy2", CopySource, ...replaced }));
    const [one, two] = await Promise.all(
      ["copy", "copy2"].map((Key) => client.send(new HeadObjectCommand({ Bucket, Key }))),
    );
    expect(one).toMatchObject({ ContentType: "text/css", Metadata: { from: "source" } });
    expect(two).toMatchObject({ Metadata: { from: "request" } });
    expect((await read("copy2")).toString()).toBe("to copy");
  });

  test("files are readable by their owner alone", async () => {
    await put("modes", "x");
    const folders = [gateway.directory, "data", "main", "objects"];
    const objects = join(...folders);
    const [folder = ""] = readdirSync(objects);
    const [file = ""] = readdirSync(join(objects, folder));
    const modeOf = (path: string) => statSync(path).mode & 0o777;
    expect(modeOf(join(objects, folder, file))).toBe(0o600);
    expect(modeOf(join(objects, folder))).toBe(0o700);
    expect(modeOf(objects)).toBe(0o700);
  });
});

describe("buckets", () => {
  test("a bucket that exists has a head and a location", async () => {
    const head = await client.send(new HeadBucketCommand({ Bucket }));
    expect(head.$metadata.httpStatusCode).toBe(200);
    const location: { LocationConstraint?: string | undefined } = await client.send(
      new GetBucketLocationCommand({ Bucket }),
    );
    expect(location.LocationConstraint).toBe("auto");
  });

  test("a bucket that does not exist is 404", async () => {
    const work = client.send(new PutObjectCommand({ Bucket: "missing", Key: "k", Body: "x" }));
    expect(await failure(work)).toEqual({ name: "NoSuchBucket", status: 404 });
  });
});

describe("multipart", () => {
  const begin = async (Key: string) => {
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ContentType: "text/x-parts" }),
    );
    return { Bucket, Key, UploadId };
  };
  const part = async (upload: Awaited<ReturnType<typeof begin>>, PartNumber: number, Body: Buffer) => {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag };
  };

  test("lib-storage uploads in parts and the object is whole", async () => {
    const body = randomBytes(11 * 1024 * 1024);
    await new Upload({
      client,
      params: { Bucket, Key: "parts", Body: body },
      partSize: 5 * 1024 ** 2,
    }).done();
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "parts" }));
    expect(head.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect((await read("parts")).equals(body)).toBe(true);
  });

  test("parts are joined in order, with the headers of the upload; others are dropped", async () => {
    const upload = await begin("joined");
    const second = await part(upload, 7, Buffer.from("b".repeat(100)));
    const first = await part(upload, 2, Buffer.from("a".repeat(2000)));
    await part(upload, 9, Buffer.from("unused"));
    const listed = await client.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
    expect(listed.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([2, 7]);
    expect(listed.NextPartNumberMarker).toBe("7");
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [first, second] } }),
    );
    expect((await read("joined")).toString()).toBe("a".repeat(2000) + "b".repeat(100));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "joined" }));
    expect(head.ContentType).toBe("text/x-parts");
    expect(await failure(client.send(new ListPartsCommand(upload)))).toMatchObject({ name: "NoSuchUpload" });
  });

  test.each([
    [
      "a false ETag",
      ["2000", "5"],
      (parts: { PartNumber: number; ETag: string | undefined }[]) => [
        { ...parts[0], ETag: '"00000000000000000000000000000000"' },
      ],
      "InvalidPart",
    ],
    ["a part that was never sent", ["5"], () => [{ PartNumber: 3, ETag: '"0"' }], "InvalidPart"],
    ["falling order", ["2000", "2000"], (parts: object[]) => parts.toReversed(), "InvalidPartOrder"],
    ["a small part in the middle", ["5", "5"], (parts: object[]) => parts, "EntityTooSmall"],
    ["parts of unequal size", ["2000", "3000", "5"], (parts: object[]) => parts, "InvalidPart"],
  ])("completing with %s is refused and the upload lives on", async (_, sizes, choose, code) => {
    const upload = await begin("refused-parts");
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const [index, size] of sizes.entries())
      parts.push(await part(upload, index + 1, Buffer.alloc(Number(size))));
    const work = client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: choose(parts) } }),
    );
    expect(await failure(work)).toEqual({ name: code, status: 400 });
    await client.send(new ListPartsCommand(upload));
    await client.send(new AbortMultipartUploadCommand(upload));
  });

  test.each([
    ["of all data", { ChecksumCRC32: "y/Q5Jg==", ChecksumType: "FULL_OBJECT" as const }, "200"],
    [
      "of all data that is false",
      { ChecksumCRC32: "AAAAAA==", ChecksumType: "FULL_OBJECT" as const },
      "BadDigest",
    ],
    ["of the parts' checksums that is false", { ChecksumCRC32: "AAAAAA==-1" }, "BadDigest"],
  ])("a checksum %s is proven when the parts are joined", async (_, checksum, expected) => {
    const upload = await begin("summed-parts");
    const single = await part(upload, 1, Buffer.from("123456789"));
    const command = { ...upload, ...checksum, MultipartUpload: { Parts: [single] } };
    const outcome = await client.send(new CompleteMultipartUploadCommand(command)).then(
      ({ $metadata }) => String($metadata.httpStatusCode),
      (error: Error) => error.name,
    );
    expect(outcome).toBe(expected);
  });

  test("an aborted upload is gone, and so is one asked for under another key", async () => {
    const upload = await begin("aborted");
    const elsewhere = client.send(new ListPartsCommand({ ...upload, Key: "other-key" }));
    expect(await failure(elsewhere)).toEqual({ name: "NoSuchUpload", status: 404 });
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(await failure(part(upload, 1, Buffer.from("late")))).toEqual({
      name: "NoSuchUpload",
      status: 404,
    });
  });

  test("UploadPartCopy takes a range of another object", async () => {
    await put("part-source", "0123456789");
    const upload = await begin("part-copy");
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({
        ...upload,
        PartNumber: 1,
        CopySource: `${Bucket}/part-source`,
        CopySourceRange: "bytes=2-5",
      }),
    );
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    expect((await read("part-copy")).toString()).toBe("2345");
  });

  test("uploads under way are listed page by page", async () => {
    const uploads = [await begin("list/1"), await begin("list/1"), await begin("list/2")];
    const found: (string | undefined)[] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
    for (let pages = 0; markers !== undefined && pages < 5; pages++) {
      const page: Awaited<ReturnType<typeof listUploads>> = await listUploads(markers);
      found.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
      markers = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker ?? "", UploadIdMarker: page.NextUploadIdMarker ?? "" }
        : undefined;
    }
    expect(found.toSorted()).toEqual(uploads.map(({ UploadId }) => UploadId).toSorted());
    await Promise.all(uploads.map((upload) => client.send(new AbortMultipartUploadCommand(upload))));
  });
  const listUploads = (markers: { KeyMarker?: string; UploadIdMarker?: string }) =>
    client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: "list/", MaxUploads: 1, ...markers }));
});
