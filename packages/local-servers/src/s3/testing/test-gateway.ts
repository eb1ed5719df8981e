import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { s3Actions } from "../actions.ts";
import { type S3Gateway, type S3GatewayOptions, startS3Gateway } from "../gateway.ts";
import type { ResolveCredential, S3Credential } from "../policy.ts";

export const allActions: ReadonlySet<(typeof s3Actions)[number]> = new Set(s3Actions);

export type TestCredential = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/** A key for all objects, and one that needs its session token, for `a/` and `shared.txt` in the bucket `main`. */
export const rootCredential: TestCredential = { accessKeyId: "ROOTKEY", secretAccessKey: "root-secret" };
export const confinedCredential: TestCredential = {
  accessKeyId: "CONFINED",
  secretAccessKey: "confined-secret",
  sessionToken: "confined-token",
};

export const testResolver: ResolveCredential = (accessKeyId, sessionToken) => {
  if (accessKeyId === "ROOTKEY" && sessionToken === undefined) {
    return { secretAccessKey: "root-secret", policy: { buckets: "any", actions: allActions } };
  }
  if (accessKeyId !== "CONFINED" || sessionToken !== "confined-token") return undefined;
  const policy: S3Credential["policy"] = {
    buckets: ["main"],
    prefixes: ["a/"],
    objects: ["shared.txt"],
    actions: allActions,
  };
  return { secretAccessKey: "confined-secret", policy };
};

export type TestGateway = S3Gateway & {
  readonly directory: string;
  readonly client: (credential?: TestCredential, config?: S3ClientConfig) => S3Client;
  /** Stops the server and starts another on the same folder. */
  readonly restart: () => Promise<TestGateway>;
  /** Stops the server and removes the folder. */
  readonly dispose: () => Promise<void>;
};

export async function startTestGateway(
  options: Partial<S3GatewayOptions> = {},
  folder?: string,
): Promise<TestGateway> {
  const directory = folder ?? (await mkdtemp(join(tmpdir(), "keyloan-s3-")));
  const gateway = await startS3Gateway({
    dataDirectory: join(directory, "data"),
    port: 0,
    buckets: ["main", "other"],
    resolveCredential: testResolver,
    ...options,
  });
  const clients: S3Client[] = [];
  const close = async () => {
    for (const client of clients) client.destroy();
    await gateway.close();
  };
  return {
    ...gateway,
    close,
    directory,
    client: (credential = rootCredential, config = {}) => {
      const client = new S3Client({
        endpoint: gateway.url,
        region: "auto",
        credentials: credential,
        maxAttempts: 1,
        ...config,
      });
      clients.push(client);
      return client;
    },
    restart: async () => {
      await close();
      return startTestGateway(options, directory);
    },
    dispose: async () => {
      await close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
