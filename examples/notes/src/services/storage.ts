import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Env } from "../env.ts";
import { ServiceError } from "../failure.ts";

const callTimeoutMs = 30_000;

export type StoredObject = { readonly body: ReadableStream; readonly sizeBytes: number };
export type Upload = {
  readonly body: ReadableStream<Uint8Array>;
  readonly contentType: string;
  readonly sizeBytes: number;
};
export type Storage = ReturnType<typeof createStorage>;

/** The bucket, seen through the prefix: callers name objects below it and cannot leave it. */
export function createStorage(settings: Env["storage"]) {
  const { endpoint, region, bucket, prefix, ...credentials } = settings;
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    // A streamed body with a trailing checksum is not understood by every S3-compatible store.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const limit = () => ({ abortSignal: AbortSignal.timeout(callTimeoutMs) });

  return {
    /** Sends the body as it arrives; memory use does not grow with its size. */
    put: async (name: string, upload: Upload): Promise<void> => {
      await client.send(
        new PutObjectCommand({
          ...at(name),
          Body: Readable.fromWeb(toNodeStream(upload.body)),
          ContentLength: upload.sizeBytes,
          ContentType: upload.contentType,
        }),
        limit(),
      );
    },
    get: async (name: string): Promise<StoredObject | undefined> => {
      try {
        const { Body, ContentLength } = await client.send(new GetObjectCommand(at(name)), limit());
        if (Body === undefined || ContentLength === undefined)
          throw new ServiceError("answered without a body");
        return { body: Body.transformToWebStream(), sizeBytes: ContentLength };
      } catch (error) {
        if (error instanceof Error && error.name === "NoSuchKey") return undefined;
        throw error;
      }
    },
    remove: async (name: string): Promise<void> => {
      await client.send(new DeleteObjectCommand(at(name)), limit());
    },
    /** Asks for an object that never exists: "not found" proves that the key may look below the prefix. */
    check: async (): Promise<void> => {
      try {
        await client.send(new HeadObjectCommand(at("health-check")), limit());
      } catch (error) {
        if (!(error instanceof Error && error.name === "NotFound")) throw error;
      }
    },
    close: () => client.destroy(),
  };
}

// The global and the node:stream/web types describe the same class.
function toNodeStream(stream: ReadableStream<Uint8Array>): NodeReadableStream<Uint8Array> {
  return stream as unknown as NodeReadableStream<Uint8Array>;
}
