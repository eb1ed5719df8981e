import { createHash } from "node:crypto";
import { ProviderError } from "@keyloan/contract";
import type { ObjectStore, UploadedPart, WriteOptions, Written } from "./object-store.ts";
import { wrongBytes } from "./storage-errors.ts";

/** An object to write; it may exist already. */
export type WritableObject = {
  readonly store: ObjectStore;
  readonly key: string;
  /** Opens the same store to clean up after a failure, even if the caller has given up. */
  readonly openForCleaning: () => Promise<ObjectStore>;
};

/** How long cleaning up may take. */
export const cleaningMsMax = 15_000;

/** Sends the next part; resolves when the previous part has arrived, whose bytes may then be overwritten. */
export type SendPart = (bytes: Buffer, onArrived?: () => void) => Promise<void>;

export type UploadOptions = WriteOptions & {
  /** Whether each part is sent with its SHA-256, which the store must verify; not every store supports it. */
  readonly isSummed?: boolean;
};

/**
 * Writes an object in parts. It is not visible before it is complete, and a failed upload is aborted. Other uploads of
 * the key are not, because the store does not say whose they are. What a crash leaves can be found by its key.
 * @returns `undefined` if the condition does not hold
 * @throws ProviderError, and whatever `produce` throws
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
      // The failure is thrown when the next part is sent, or at the end; until then it must not end the process.
      sending.catch(() => undefined);
    });
    await sending;
    const written = await store.complete(upload, arrived, condition);
    if (written === undefined) await giveUp(openForCleaning, key, uploadId, others);
    return written;
  } catch (error) {
    // A part that is still being sent could arrive after the upload was aborted, and stay in the store.
    await sending.catch(() => undefined);
    await giveUp(openForCleaning, key, uploadId, others);
    throw error;
  }
}

/** The ids of all unfinished uploads of exactly this key, whichever client began them. */
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
 * Aborts our upload. If that fails, the upload can be found later by its key.
 * @param uploadId absent if the store did not return one: then uploads that are not among the `others` count as ours
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

/** Ignores the error of a store or key that does not list uploads: then it is unknown which uploads are new. */
function unlessNotOffered(error: unknown): undefined {
  if (!(error instanceof ProviderError && [400, 403, 405, 501].includes(error.status ?? 0))) throw error;
}
