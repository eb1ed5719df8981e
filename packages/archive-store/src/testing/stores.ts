import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@keyloan/contract";
import { type S3Interception, s3Actions, startS3Gateway } from "@keyloan/local-servers";
import { type ArchiveStore, openArchiveStore } from "../index.ts";

export type TestStore = {
  readonly store: ArchiveStore;
  readonly directory: string;
  /** Opens the same place, perhaps with another key or timeout. */
  readonly openAgain: (changes?: { secretAccessKey?: string; timeoutMs?: number }) => ArchiveStore;
  /** Sets a rule that decides, for each request, what the S3 server does instead of its own answer. */
  readonly intercept: (
    rule: ((method: string, path: string) => S3Interception | undefined) | undefined,
  ) => void;
  readonly stop: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export async function fileStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), "keyloan-archives-"));
  const directory = join(folder, "archives");
  const open = () => openArchiveStore({ kind: "file", directory });
  const close = () => rm(folder, { recursive: true, force: true });
  return { store: open(), directory, openAgain: open, intercept: () => {}, stop: close, close };
}

/** A bucket behind a gateway that verifies every signature. */
export async function s3Store(): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), "keyloan-archives-s3-"));
  let rule: Parameters<TestStore["intercept"]>[0];
  const gateway = await startS3Gateway({
    dataDirectory: join(directory, "data"),
    port: 0,
    buckets: ["archives"],
    resolveCredential: (accessKeyId) =>
      accessKeyId === "ARCHIVEKEY"
        ? {
            secretAccessKey: "archive-secret",
            policy: { buckets: ["archives"], prefixes: ["keyloan/"], actions: new Set(s3Actions) },
          }
        : undefined,
    intercept: (method, path) => rule?.(method, path),
  });
  const open: TestStore["openAgain"] = ({ secretAccessKey = "archive-secret", timeoutMs } = {}) =>
    openArchiveStore({
      kind: "s3",
      fetch: globalThis.fetch,
      url: `${gateway.url}/archives/keyloan/`,
      region: "auto",
      accessKeyId: "ARCHIVEKEY",
      secretAccessKey: Secret.of(secretAccessKey),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  return {
    store: open(),
    directory,
    openAgain: open,
    intercept: (next) => {
      rule = next;
    },
    stop: gateway.close,
    close: async () => {
      await gateway.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
