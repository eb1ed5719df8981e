import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "./testing/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ limits: { partBytesMin: 1, bucketBytesMax: 100 } });
});
afterAll(() => gateway.dispose());

const Bucket = "main";
const full = { name: "QuotaExceeded", $metadata: { httpStatusCode: 403 } };
const put = (Key: string, bytes: number) =>
  gateway.client().send(new PutObjectCommand({ Bucket, Key, Body: "x".repeat(bytes) }));

test("a bucket that may hold no more refuses what would make it larger, and keeps what it has", async () => {
  await put("first", 60);
  await expect(put("second", 41)).rejects.toMatchObject(full);
  await expect(put("first", 101)).rejects.toMatchObject(full);
  const copy = new CopyObjectCommand({ Bucket, Key: "third", CopySource: `${Bucket}/first` });
  await expect(gateway.client().send(copy)).rejects.toMatchObject(full);
  const { Contents = [] } = await gateway.client().send(new ListObjectsV2Command({ Bucket }));
  expect(Contents.map(({ Key, Size }) => [Key, Size])).toEqual([["first", 60]]);
  await put("first", 100);
  await gateway.client().send(new DeleteObjectCommand({ Bucket, Key: "first" }));
  await put("second", 100);
  await gateway.client().send(new DeleteObjectCommand({ Bucket, Key: "second" }));
});

test("parts take room until their upload ends", async () => {
  const target = { Bucket, Key: "parts" };
  const { UploadId } = await gateway.client().send(new CreateMultipartUploadCommand(target));
  const part = (PartNumber: number) =>
    gateway.client().send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body: "x".repeat(60) }));
  await part(1);
  await expect(part(2)).rejects.toMatchObject(full);
  await expect(put("other", 60)).rejects.toMatchObject(full);
  await gateway.client().send(new AbortMultipartUploadCommand({ ...target, UploadId }));
  await put("other", 60);
});
