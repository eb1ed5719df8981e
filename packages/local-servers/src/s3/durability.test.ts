import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterEach, describe, expect, test } from "vitest";
import { rootCredential, startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.dispose();
  gateway = undefined;
});
const start = async () => {
  gateway = await startTestGateway({ limits: { partBytesMin: 1 } });
  return gateway;
};
const restart = async () => {
  gateway = await gateway?.restart();
  if (gateway === undefined) throw new Error("not started");
  return gateway;
};
const Bucket = "main";
const put = (of: TestGateway, Key: string, Body: string) =>
  of.client().send(new PutObjectCommand({ Bucket, Key, Body, Metadata: { for: Key } }));
const read = async (of: TestGateway, Key: string) =>
  (await of.client().send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
const list = async (of: TestGateway) => {
  const { Contents = [] } = await of.client().send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key);
};

describe("after a restart", () => {
  test("objects, listings and uploads go on where they were", async () => {
    const first = await start();
    await put(first, "kept/ä", "text");
    const Key = "joined";
    const { UploadId } = await first.client().send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = { Bucket, Key, UploadId, PartNumber: 1, Body: "part" };
    const { ETag } = await first.client().send(new UploadPartCommand(part));
    const second = await restart();
    expect([await list(second), await read(second, "kept/ä")]).toEqual([["kept/ä"], "text"]);
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await second
      .client()
      .send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    const third = await restart();
    expect([await list(third), await read(third, Key)]).toEqual([["joined", "kept/ä"], "part"]);
  });

  test("half-written files are gone and damaged objects are not served as if they were whole", async () => {
    const first = await start();
    await put(first, "damaged", "whole text");
    await put(first, "intact", "whole text");
    const bucket = join(first.directory, "data", Bucket);
    writeFileSync(join(bucket, "temporary", "left-over"), "half");
    const objects = join(bucket, "objects");
    const files = readdirSync(objects, { recursive: true, encoding: "utf8" }).map((name) =>
      join(objects, name),
    );
    const damaged = files.find(
      (file) => file.length > objects.length + 10 && readFileSync(file, "latin1").includes('"key":"damaged"'),
    );
    if (damaged === undefined) throw new Error("the object has no file");
    writeFileSync(damaged, readFileSync(damaged).subarray(0, -20));
    const second = await restart();
    expect(await list(second)).toEqual(["intact"]);
    await expect(read(second, "damaged")).rejects.toMatchObject({ name: "NoSuchKey" });
    expect(readdirSync(join(bucket, "temporary"))).toEqual([]);
  });
});

describe("an upload that stops in the middle", () => {
  test("leaves the old object and no trace", async () => {
    const running = await start();
    await put(running, "target", "old");
    const command = new PutObjectCommand({ Bucket, Key: "target" });
    const url = new URL(await getSignedUrl(running.client(), command, { expiresIn: 60 }));
    const socket = connect(running.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 500000\r\n\r\n`,
    );
    socket.write("n".repeat(200_000));
    const temporary = join(running.directory, "data", Bucket, "temporary");
    await expect.poll(() => readdirSync(temporary).length, { interval: 5 }).toBe(1);
    socket.destroy();
    await expect.poll(() => readdirSync(temporary).length, { interval: 5 }).toBe(0);
    expect(await read(running, "target")).toBe("old");
  });

  test("by a kill of the server leaves the old object", async () => {
    const running = await start();
    await put(running, "target", "old");
    await running.close();
    const script = `
      import { startS3Gateway } from ${JSON.stringify(new URL("./gateway.ts", import.meta.url).href)};
      const { s3Actions } = await import(${JSON.stringify(new URL("./actions.ts", import.meta.url).href)});
      const policy = { buckets: "any", actions: new Set(s3Actions) };
      const gateway = await startS3Gateway({
        dataDirectory: ${JSON.stringify(join(running.directory, "data"))}, port: 0, buckets: ["main"],
        resolveCredential: () => ({ secretAccessKey: ${JSON.stringify(rootCredential.secretAccessKey)}, policy }),
      });
      process.stdout.write(gateway.url);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [url] = await once(child.stdout, "data");
    const client = running.client(rootCredential, { endpoint: String(url) });
    const presigned = new URL(await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "target" })));
    const socket = connect(Number(presigned.port), "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(
      `PUT ${presigned.pathname}${presigned.search} HTTP/1.1\r\nHost: ${presigned.host}\r\nContent-Length: 500000\r\n\r\n`,
    );
    socket.write("n".repeat(200_000));
    const temporary = join(running.directory, "data", Bucket, "temporary");
    await expect.poll(() => readdirSync(temporary).length, { interval: 5 }).toBe(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    socket.destroy();
    const after = await restart();
    expect([await list(after), await read(after, "target")]).toEqual([["target"], "old"]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

test("a port that is taken is an error, not a hang", async () => {
  const running = await start();
  await expect(startTestGateway({ port: running.port }, running.directory)).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});

test.each(["", "..", "UPPER", "a/b", "ab", "dots.in.name"])("a bucket cannot be called %j", async (name) => {
  const running = await start();
  await expect(startTestGateway({ buckets: [name] }, running.directory)).rejects.toThrow("bucket name");
});
