import { createHash } from "node:crypto";
import type { StoredArchive } from "./archive.ts";
import { until } from "./failures.ts";
import type { OpenedBucket } from "./s3-bucket.ts";

/** What is held of an archive while it is sent. S3 takes 10,000 parts, so an archive has 80 GB at most. */
const partBytes = 8 * 1024 * 1024;
const abortMsMax = 10_000;

/** Sends an archive in one piece when it is small, and else in parts, which are given up together. */
export async function upload(
  bucket: OpenedBucket,
  key: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<StoredArchive> {
  const hash = createHash("sha256");
  let bytes = 0;
  const count = (part: Uint8Array) => {
    hash.update(part);
    bytes += part.length;
  };
  const parts = partsOf(until(signal, content));
  const first = (await parts.next()).value ?? new Uint8Array();
  count(first);
  if (first.length < partBytes) await sendWhole(bucket, key, first, signal);
  else await sendParts(bucket, key, first, parts, count, signal);
  return { bytes, sha256: hash.digest("hex") };
}

async function sendWhole(
  { sdk, send, name: Bucket }: OpenedBucket,
  Key: string,
  Body: Uint8Array,
  signal: AbortSignal,
) {
  await send(
    "written",
    (client, options) => client.send(new sdk.PutObjectCommand({ Bucket, Key, Body }), options),
    signal,
  );
}

async function sendParts(
  { sdk, send, name: Bucket }: OpenedBucket,
  Key: string,
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
  count: (part: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const begin = new sdk.CreateMultipartUploadCommand({ Bucket, Key });
  const { UploadId } = await send("written", (client, options) => client.send(begin, options), signal);
  const Parts: { ETag: string | undefined; PartNumber: number }[] = [];
  const sendPart = async (Body: Uint8Array) => {
    const PartNumber = Parts.length + 1;
    const command = new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body });
    const { ETag } = await send("written", (client, options) => client.send(command, options), signal);
    Parts.push({ ETag, PartNumber });
  };
  try {
    await sendPart(first);
    for await (const part of rest) {
      count(part);
      await sendPart(part);
    }
    const complete = { Bucket, Key, UploadId, MultipartUpload: { Parts } };
    const command = new sdk.CompleteMultipartUploadCommand(complete);
    await send("written", (client, options) => client.send(command, options), signal);
  } catch (error) {
    // What cannot be given up now is found by its name when the archive is removed.
    const command = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
    await send(
      "removed",
      (client, options) => client.send(command, options),
      AbortSignal.timeout(abortMsMax),
    ).catch(() => undefined);
    throw error;
  }
}

/** The content in parts of equal length and a last, shorter one. */
async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined, void> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    for (let rest = piece; rest.length > 0; ) {
      const taken = rest.subarray(0, partBytes - length);
      held.push(taken);
      length += taken.length;
      rest = rest.subarray(taken.length);
      if (length < partBytes) continue;
      yield Buffer.concat(held);
      held = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(held);
  return undefined;
}
