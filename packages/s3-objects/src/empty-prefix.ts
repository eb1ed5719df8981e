import { ProviderError } from "@keyloan/contract";
import type { ObjectStore } from "./object-store.ts";

const roundsMax = 5;

/**
 * Deletes every object under a prefix and aborts every upload, and repeats this until it finds nothing.
 * While credentials for the prefix are valid, a client may continue to write; after a few rounds that is
 * an error, and the caller can try again later.
 * @param store opened with a `socketSignal`, or else it cannot delete keys with `.` or `..` between slashes
 * @throws ProviderError
 */
export async function emptyPrefix(store: ObjectStore, prefix: string): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    // Uploads first: an upload that is completed meanwhile becomes an object, which is then found.
    const found = (await abortUploads(store, prefix)) + (await removeObjects(store, prefix));
    if (found === 0) return;
  }
  throw new ProviderError(
    store.name,
    "unavailable",
    "still holds objects under the prefix after they were deleted",
  );
}

async function abortUploads(store: ObjectStore, prefix: string): Promise<number> {
  let found = 0;
  for await (const uploads of store.listUploads(prefix)) {
    found += uploads.length;
    for (const upload of uploads) await store.abort(upload);
  }
  return found;
}

async function removeObjects(store: ObjectStore, prefix: string): Promise<number> {
  let found = 0;
  for await (const objects of store.list(prefix)) {
    found += objects.length;
    const keys = objects.map(({ key }) => key);
    const { plain = [], odd = [] } = Object.groupBy(keys, (key) => (fitsXml(key) ? "plain" : "odd"));
    if (plain.length > 0) await store.removeMany(plain);
    for (const key of odd) await store.remove(key);
  }
  return found;
}

/** Whether XML 1.0 allows all characters of a key (section 2.2); any other key is deleted by its address. */
function fitsXml(key: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML lacks
  return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(key);
}
