import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { type ConnectorContext, Secret, type SecretValues, secretValues } from "@keyloan/contract";
import { type S3Interception, s3Actions, startS3Gateway } from "@keyloan/local-servers";
import { type BucketOptions, openObjectStore } from "../index.ts";
import { createSend } from "../send.ts";
import { createStorage } from "../storage.ts";
import { withHeader } from "../with-header.ts";

export const storeName = "acme";
export const bucketName = "files";
const keys = { accessKeyId: "KEY", secretAccessKey: "secret-of-the-bucket" };

/** A fault in requests for objects; requests for the bucket itself are not affected. */
export type Fault = { readonly method?: string } & (
  | { readonly kind: "status"; readonly status: number; readonly body?: string }
  | { readonly kind: "cut" }
  /** The request is executed, then the connection is cut. */
  | { readonly kind: "cut_after" }
);

export type TestBucket = {
  /** The variables that an app would have for this bucket. */
  readonly values: SecretValues;
  readonly url: string;
  /** Applies the fault to the next requests that match it, once by default. */
  readonly fault: (fault: Fault, times?: number) => void;
  /** Sets a rule for every request, in place of faults; `undefined` removes it. */
  readonly intercept: (
    rule:
      | ((method: string, path: string) => Promise<S3Interception | undefined> | S3Interception | undefined)
      | undefined,
  ) => void;
  /** A plain SDK client of the bucket. */
  readonly sdk: S3Client;
  readonly put: (key: string, bytes: Uint8Array, headers?: Readonly<Record<string, string>>) => Promise<void>;
  readonly get: (key: string) => Promise<FoundObject | undefined>;
  /** How many unfinished uploads there are. */
  readonly pending: () => Promise<number>;
  readonly close: () => Promise<void>;
};

export type FoundObject = { readonly bytes: Buffer; readonly encoding?: string; readonly type?: string };

/** A new bucket behind a gateway that verifies every signature. */
export async function startTestBucket({
  bytesMax,
  entriesMax = 1000,
}: {
  readonly bytesMax?: number;
  readonly entriesMax?: number;
} = {}): Promise<TestBucket> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-bucket-"));
  const waiting: Fault[] = [];
  let rule: Parameters<TestBucket["intercept"]>[0];
  const gateway = await startS3Gateway({
    dataDirectory: join(folder, "objects"),
    port: 0,
    buckets: [bucketName],
    limits: { entriesMax, ...(bytesMax === undefined ? {} : { bucketBytesMax: bytesMax }) },
    resolveCredential: (accessKeyId) =>
      accessKeyId === keys.accessKeyId
        ? {
            secretAccessKey: keys.secretAccessKey,
            policy: { buckets: [bucketName], actions: new Set(s3Actions) },
          }
        : undefined,
    intercept: (method, path) => {
      if (rule !== undefined) return rule(method, path);
      const index = waiting.findIndex((fault) => (fault.method ?? method) === method);
      const isOnObject = /^\/[^/]+\/./.test(path);
      return isOnObject && index >= 0 ? answerOf(waiting.splice(index, 1)[0]) : undefined;
    },
  });
  const sdk = new S3Client({
    endpoint: gateway.url,
    region: "auto",
    maxAttempts: 1,
    forcePathStyle: true,
    credentials: keys,
  });
  return {
    values: secretValues({ URL: gateway.url, SECRET: keys.secretAccessKey }),
    url: gateway.url,
    fault: (fault, times = 1) => waiting.push(...Array<Fault>(times).fill(fault)),
    intercept: (next) => {
      rule = next;
    },
    sdk,
    ...plainCalls(sdk),
    close: async () => {
      sdk.destroy();
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function plainCalls(sdk: S3Client): Pick<TestBucket, "put" | "get" | "pending"> {
  const Bucket = bucketName;
  return {
    put: async (Key, Body, headers = {}) => {
      const command = new PutObjectCommand({ Bucket, Key, Body });
      for (const [name, value] of Object.entries(headers))
        command.middlewareStack.add(withHeader(name, value), { step: "build" });
      await sdk.send(command);
    },
    get: async (Key) => {
      const answer = await sdk.send(new GetObjectCommand({ Bucket, Key })).catch(() => undefined);
      if (answer?.Body === undefined) return undefined;
      const { ContentEncoding: encoding, ContentType: type } = answer;
      return {
        bytes: Buffer.from(await answer.Body.transformToByteArray()),
        ...(encoding === undefined ? {} : { encoding }),
        ...(type === undefined ? {} : { type }),
      };
    },
    pending: async () => (await sdk.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0,
  };
}

function answerOf(fault: Fault | undefined): S3Interception | undefined {
  if (fault === undefined) return undefined;
  if (fault.kind === "cut") return { when: "before", answer: "cut" };
  if (fault.kind === "cut_after") return { when: "after", answer: "cut" };
  const { status, body = `<Error><Code>Code${status}</Code><Message>injected</Message></Error>` } = fault;
  return { when: "before", answer: { status, headers: { "content-type": "application/xml" }, body } };
}

/** A context with the process's own fetch, and a signal that never aborts unless `changes` has one. */
export const testContext = (changes: Partial<ConnectorContext> = {}): ConnectorContext => ({
  fetch: (input, init) => globalThis.fetch(input, init),
  signal: new AbortController().signal,
  now: () => Date.now(),
  randomBytes: (size) => randomBytes(size),
  ...changes,
});

/** The options that open a bucket with these values, under the limits of a context. */
export function optionsOf(context: ConnectorContext, values: SecretValues): BucketOptions {
  return {
    name: storeName,
    endpoint: values.URL?.reveal() ?? "",
    region: "auto",
    bucket: bucketName,
    accessKeyId: keys.accessKeyId,
    secretAccessKey: values.SECRET ?? Secret.of(""),
    send: createSend(storeName, context.fetch, { signal: context.signal, timeoutMs: 60_000 }),
  };
}

/** Storage under a prefix of a test bucket. */
export const testStorage = createStorage({
  open: async (context, values) => ({
    store: await openObjectStore(optionsOf(context, values)),
    prefix: values.PREFIX?.reveal() ?? "",
  }),
});
