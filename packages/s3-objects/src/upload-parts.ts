import { createHash } from "node:crypto";
import { ProviderError } from "@keyloan/contract";
import type { ObjectStore, UploadedPart, WriteOptions, Written } from "./object-store.ts";
import { wrongBytes } from "./storage-errors.ts";

/** An object, there or not, that is written to. */
export type WritableObject = {
  readonly store: ObjectStore;
  readonly key: string;
  /** The same store, for putting in order what failed, also when the caller has given up. */
  readonly openForCleaning: () => Promise<ObjectStore>;
};

/** How long putting in order may take. */
export const cleaningMsMax = 15_000;

/** Sends the next part; resolves when the one before has arrived, whose bytes may then be overwritten. */
export type SendPart = (bytes: Buffer, onArrived?: () => void) => Promise<void>;

export type UploadOptions = WriteOptions & {
  /** Whether each part goes with its SHA-256, which the store must check; not every store knows it. */
  readonly isSummed?: boolean;
};

/**
 * Writes an object in parts. Nobody sees it before it is whole, and an upload that fails is ended. No other of the same
 * key is: the store does not tell whose it is. What a crash leaves is found by its key.
 * @returns `undefined` when the condition does not hold
 * @throws ProviderError, and what `produce` throws
 */
export async function uploadParts(
  { store, key, openForCleaning }: WritableObject,
  { headers, condition, isSummed = false }: UploadOptions,
  produce: (send: SendPart) => Promise<void>,
): Promise<Written | undefined> {
  const others = await pendingIds(store, key).catch(unlessNotOffered);
  const arrived: UploadedPart[] = [];
  let sending: Promise<void> = Promise.resolve();
  let uploadId: string | undefined;
  try {
    uploadId = await store.begin(key, headers, isSummed);
    const upload = { key, uploadId };
    await produce(async (bytes, onArrived) => {
      await sending;
      const sha256 = isSummed ? createHash("sha256").update(bytes).digest("base64") : undefined;
      sending = store.putPart(upload, arrived.length + 1, bytes, sha256).then((part) => {
        if (isSummed && part.sha256 !== undefined && part.sha256 !== sha256) throw wrongBytes(store.name);
        arrived.push(part);
        onArrived?.();
      });
      // Seen when the next part is sent, or at the end; until then it must not end the process.
      sending.catch(() => undefined);
    });
    await sending;
    const written = await store.complete(upload, arrived, condition);
    if (written === undefined) await giveUp(openForCleaning, key, uploadId, others);
    return written;
  } catch (error) {
    // A part that is still on its way could arrive after the end of the upload, and stay.
    await sending.catch(() => undefined);
    await giveUp(openForCleaning, key, uploadId, others);
    throw error;
  }
}

/** The ids of every unfinished upload of exactly this key, whoever began it. */
export async function pendingIds(
  store: Pick<ObjectStore, "listUploads">,
  key: string,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const uploads of store.listUploads(key)) {
    for (const upload of uploads) if (upload.key === key) ids.add(upload.uploadId);
  }
  return ids;
}

/**
 * What cannot be ended now is found by its key.
 * @param uploadId absent when the store did not answer with one: then ours is what came since the `others`
 */
async function giveUp(
  open: WritableObject["openForCleaning"],
  key: string,
  uploadId: string | undefined,
  others: ReadonlySet<string> | undefined,
): Promise<void> {
  const store = await open();
  const newer = async () => [...(await pendingIds(store, key))].filter((id) => others?.has(id) === false);
  const ours = uploadId === undefined ? await newer().catch(() => []) : [uploadId];
  for (const id of ours) await store.abort({ key, uploadId: id }).catch(() => undefined);
}

/** A store, or a key, that does not list uploads: then nobody knows which came since. */
function unlessNotOffered(error: unknown): undefined {
  if (!(error instanceof ProviderError && [400, 403, 405, 501].includes(error.status ?? 0))) throw error;
}
