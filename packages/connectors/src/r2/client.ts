import { type ConnectorContext, Secret } from "@keyloan/contract";
import { type BucketOptions, type ObjectStore, openObjectStore } from "@keyloan/s3-objects";
import { fetchBytes } from "../kit/http.ts";
import type { BucketAccess } from "./endpoint.ts";
import { provider } from "./errors.ts";

type Reach = {
  /** For each request with its answer. */
  readonly timeoutMs?: number;
  /** Also keys with `.` and `..` between slashes are removed. For the org's own endpoint only. */
  readonly reachesEveryKey?: boolean;
};

/** Opens a bucket; every call goes over the context's own fetch. */
export function openBucket(
  context: ConnectorContext,
  access: BucketAccess,
  reach: Reach = {},
): Promise<ObjectStore> {
  return openObjectStore(bucketOptions(context, access, reach));
}

export function bucketOptions(
  context: ConnectorContext,
  access: BucketAccess,
  { timeoutMs, reachesEveryKey = false }: Reach = {},
): BucketOptions {
  const { secretAccessKey, sessionToken, ...place } = access;
  return {
    name: provider,
    region: "auto",
    ...place,
    secretAccessKey: Secret.of(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : Secret.of(sessionToken),
    send: (url, init) => fetchBytes({ provider, context, timeoutMs }, url, init),
    ...(reachesEveryKey ? { socketSignal: context.signal } : {}),
  };
}
