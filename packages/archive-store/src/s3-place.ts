import { ProviderError, type Secret } from "@keyloan/contract";
import {
  cleaningMsMax,
  createSend,
  openObject,
  openObjectStore,
  removeObject,
  writeObject,
} from "@keyloan/s3-objects";
import { type ArchivePlace, missing } from "./archive.ts";

export type S3Options = {
  readonly fetch: typeof globalThis.fetch;
  /** `https://<endpoint>/<bucket>/<prefix>` */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** How long one request, of at most 8 MiB, may take; default 30 s. */
  readonly timeoutMs?: number;
};

/** Distinguishes this store's errors from errors of the source of an archive's content. */
const storeName = "store of archives";
const attemptsMax = 3;

/** Archives as objects under a prefix of a bucket. */
export function createS3Place({ fetch, url, timeoutMs = 30_000, ...access }: S3Options): ArchivePlace {
  const { origin: endpoint, pathname } = new URL(url);
  const [bucket = "", ...folders] = pathname.split("/").filter(Boolean);
  const prefix = folders.map((folder) => `${folder}/`).join("");
  const open = (signal: AbortSignal) => {
    const send = createSend(storeName, fetch, { signal, timeoutMs, attemptsMax });
    return openObjectStore({ name: storeName, endpoint, bucket, send, ...access });
  };
  const openForCleaning = () => open(AbortSignal.timeout(cleaningMsMax));
  return {
    put: async (name, content, signal) =>
      writeObject({ store: await open(signal), key: prefix + name, openForCleaning }, content),
    get: async function* (name, signal) {
      const archive = (await openObject(await open(signal), prefix + name)) ?? missing();
      yield* archive.pieces;
    },
    remove: async (name, signal) => removeObject(await open(signal), prefix + name),
    list: async function* (signal) {
      const store = await open(signal);
      for (const pages of [store.listUploads(prefix), store.list(prefix)]) {
        for await (const page of pages) yield* page.map(({ key }) => key.slice(prefix.length));
      }
    },
    codeOf: (error) => {
      if (!(error instanceof ProviderError) || error.provider !== storeName) return undefined;
      if (error.status !== undefined) return `status ${error.status}`;
      return error.code === "network" || error.code === "timeout" ? "no answer" : error.message;
    },
    remedyOf: () =>
      "Check the bucket of archives, its key and the key's permissions; the database is kept as it is.",
  };
}
