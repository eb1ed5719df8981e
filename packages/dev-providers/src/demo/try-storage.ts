import { AwsClient } from "aws4fetch";
import { must } from "./steps.ts";

/** What one build may do in the bucket, tried from outside; every call gives a status. */
export type StorageAccess = {
  readonly prefix: string;
  readonly put: (key: string) => Promise<number>;
  readonly get: (key: string) => Promise<number>;
  readonly remove: (key: string) => Promise<number>;
  readonly list: (prefix: string) => Promise<number>;
};

const timeoutMs = 10_000;

/** The storage access in the env of a build, used by an ordinary S3 client. */
export function storageOf(env: Readonly<Record<string, string>>): StorageAccess {
  const { R2_ENDPOINT: endpoint = "", R2_BUCKET: bucket = "", R2_PREFIX: prefix = "" } = env;
  must(endpoint !== "" && bucket !== "", "the env has no storage");
  const client = new AwsClient({
    accessKeyId: env.R2_ACCESS_KEY_ID ?? "",
    secretAccessKey: env.R2_SECRET_ACCESS_KEY ?? "",
    ...(env.R2_SESSION_TOKEN === undefined ? {} : { sessionToken: env.R2_SESSION_TOKEN }),
    service: "s3",
    region: "auto",
    retries: 0,
  });
  const call = async (method: string, path: string, body?: string) => {
    const response = await client.fetch(`${endpoint}/${bucket}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return response.status;
  };
  return {
    prefix,
    put: (key) => call("PUT", `/${key}`, "written by the demo"),
    get: (key) => call("GET", `/${key}`),
    remove: (key) => call("DELETE", `/${key}`),
    list: (under) => call("GET", `?list-type=2&prefix=${encodeURIComponent(under)}`),
  };
}
