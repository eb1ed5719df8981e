import { request } from "node:http";
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { SecretValues } from "@keyloan/contract";
import { revealValues } from "@keyloan/contract";
import type { StorageTestClient } from "../../kit/testing/index.ts";

/** The variables of a build in the clear, as its process sees them. */
export type BuildEnv = Readonly<Record<string, string>>;

export const envOf = (values: SecretValues | undefined): BuildEnv => revealValues(values ?? {});

/** An org key as one without an API token, which signs the credentials of all builds itself. */
export function withoutApiToken(fields: SecretValues): SecretValues {
  const { apiToken: _, ...rest } = fields;
  return rest;
}

/** An ordinary S3 client with the variables of a build; the caller destroys it. */
export function s3ClientOf(env: BuildEnv): S3Client {
  const sessionToken = env.R2_SESSION_TOKEN;
  return new S3Client({
    endpoint: env.R2_ENDPOINT ?? "",
    region: env.R2_REGION ?? "",
    maxAttempts: 1,
    forcePathStyle: true,
    credentials: {
      accessKeyId: env.R2_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.R2_SECRET_ACCESS_KEY ?? "",
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  });
}

/** The HTTP status a call of the SDK ended with, whatever it is. */
export async function statusOf(work: Promise<unknown>): Promise<number | undefined> {
  const answer: unknown = await work.catch((error: unknown) => error);
  const metadata = (answer as { $metadata?: { httpStatusCode?: number } }).$metadata;
  return metadata?.httpStatusCode;
}

/** The SDK as an app uses it, for the promises of storage. */
export const storageTestClient: StorageTestClient = {
  put: (values, key, bytes, headers = {}) =>
    withClient(values, async (client, at) => {
      const command = new PutObjectCommand({ ...at(key), Body: bytes });
      command.middlewareStack.add(
        (next) => (args) => {
          setHeaders(args.request, headers);
          return next(args);
        },
        { step: "build" },
      );
      await client.send(command);
    }),
  get: (values, key) =>
    withClient(values, async (client, at) => {
      const url = await getSignedUrl(client, new GetObjectCommand(at(key)), { expiresIn: 60 });
      return readRaw(url);
    }),
  pending: (values) =>
    withClient(values, async (client, at) => {
      const { Bucket, Key: Prefix } = at("");
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
      return Uploads.length;
    }),
};

async function withClient<T>(
  values: SecretValues,
  act: (
    client: S3Client,
    at: (key: string) => { readonly Bucket: string | undefined; readonly Key: string },
  ) => Promise<T>,
): Promise<T> {
  const env = envOf(values);
  const client = s3ClientOf({ R2_REGION: "auto", ...env });
  try {
    return await act(client, (key) => ({ Bucket: env.R2_BUCKET, Key: `${env.R2_PREFIX ?? ""}${key}` }));
  } finally {
    client.destroy();
  }
}

function setHeaders(request: unknown, headers: Readonly<Record<string, string>>): void {
  if (typeof request !== "object" || request === null || !("headers" in request)) return;
  if (typeof request.headers === "object") Object.assign(request.headers ?? {}, headers);
}

/** Over node:http, which unpacks nothing and hides no header. */
function readRaw(url: string): ReturnType<StorageTestClient["get"]> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", () => {
        const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
        const found = { bytes: Buffer.concat(chunks), headers: Object.fromEntries(headers) };
        resolve(incoming.statusCode === 200 ? found : undefined);
      });
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
