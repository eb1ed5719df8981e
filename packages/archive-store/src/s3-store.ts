import { Readable } from "node:stream";
import type { BrokerError } from "@keyloan/contract";
import { type ArchiveStore, isArchiveName } from "./archive.ts";
import { missing, unavailable, until } from "./failures.ts";
import { type BucketOptions, bucketRemedy, type OpenedBucket, openBucket, unlessGone } from "./s3-bucket.ts";
import { upload } from "./s3-upload.ts";
import { withoutSilence } from "./without-silence.ts";

const pagesMax = 10_000;

/** Archives as objects under a prefix of a bucket. */
export function createS3Store(options: BucketOptions): ArchiveStore {
  let opened: Promise<OpenedBucket> | undefined;
  const open = () => {
    opened ??= openBucket(options);
    return opened;
  };
  return {
    put: async (name, content, signal) => {
      const bucket = await open();
      return upload(bucket, bucket.prefix + name, content, signal);
    },
    get: (name, signal) => read(open, name, signal),
    remove: async (name, signal) => remove(await open(), name, signal),
    list: (signal) => list(open, signal),
  };
}

async function* read(
  open: () => Promise<OpenedBucket>,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { sdk, send, name: Bucket, prefix, silenceMsMax } = await open();
  const command = new sdk.GetObjectCommand({ Bucket, Key: prefix + name });
  const call = send("read", (client, given) => client.send(command, given), signal);
  const Body = (await call.catch(unlessGone))?.Body;
  if (Body === undefined) throw missing();
  if (!(Body instanceof Readable)) throw unavailable("read", "no content", bucketRemedy);
  yield* until(
    signal,
    withoutSilence(pieces(Body, signal), silenceMsMax, () => Body.destroy()),
  );
}

/** A connection that breaks half-way is the store's failure, not the reader's. */
async function* pieces(body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next().catch(() => {
        signal.throwIfAborted();
        throw unavailable("read", "the connection broke", bucketRemedy);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

async function remove(bucket: OpenedBucket, name: string, signal: AbortSignal): Promise<void> {
  const { sdk, send, name: Bucket, prefix } = bucket;
  const Key = prefix + name;
  for await (const { key, uploadId: UploadId } of unfinished(bucket, Key, signal)) {
    if (key !== Key) continue;
    const command = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
    await send("removed", (client, given) => client.send(command, given), signal).catch(unlessGone);
  }
  const deletion = new sdk.DeleteObjectCommand({ Bucket, Key });
  await send("removed", (client, given) => client.send(deletion, given), signal).catch(unlessGone);
  const look = new sdk.HeadObjectCommand({ Bucket, Key });
  const left = await send("removed", (client, given) => client.send(look, given), signal).catch(unlessGone);
  if (left !== undefined) throw unavailable("removed", "it is still there", bucketRemedy);
}

async function* list(
  open: () => Promise<OpenedBucket>,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const bucket = await open();
  const { sdk, send, name: Bucket, prefix: Prefix } = bucket;
  const nameOf = (key: string) => (key.startsWith(Prefix) ? key.slice(Prefix.length) : "");
  for await (const { key } of unfinished(bucket, Prefix, signal)) {
    if (isArchiveName(nameOf(key))) yield nameOf(key);
  }
  let token: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const from = token === undefined ? {} : { ContinuationToken: token };
    const command = new sdk.ListObjectsV2Command({ Bucket, Prefix, ...from });
    const answer = await send("listed", (client, given) => client.send(command, given), signal);
    for (const { Key = "" } of answer.Contents ?? []) if (isArchiveName(nameOf(Key))) yield nameOf(Key);
    token = answer.NextContinuationToken;
    if (answer.IsTruncated !== true || token === undefined) return;
  }
  throw endless();
}

/** Uploads in parts that were neither completed nor given up, as those of a process that died. */
async function* unfinished(
  { sdk, send, name: Bucket }: OpenedBucket,
  Prefix: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly key: string; readonly uploadId: string }, void, void> {
  let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (let page = 0; page < pagesMax; page++) {
    const command = new sdk.ListMultipartUploadsCommand({ Bucket, Prefix, ...from });
    const answer = await send("listed", (client, given) => client.send(command, given), signal);
    for (const { Key = "", UploadId = "" } of answer.Uploads ?? []) yield { key: Key, uploadId: UploadId };
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = answer;
    if (answer.IsTruncated !== true || KeyMarker === undefined) return;
    from = UploadIdMarker === undefined ? { KeyMarker } : { KeyMarker, UploadIdMarker };
  }
  throw endless();
}

function endless(): BrokerError {
  return unavailable("listed", "the list does not end", bucketRemedy);
}
