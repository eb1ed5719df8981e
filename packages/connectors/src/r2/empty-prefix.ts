import { ProviderError } from "@keyloan/contract";
import type { ObjectStore } from "./client.ts";
import { provider } from "./errors.ts";

/** The two ways a bucket is reached; see the transports for what each can carry. */
export type Stores = { readonly fetch: ObjectStore; readonly socket: () => Promise<ObjectStore> };

const roundsMax = 5;

/**
 * Deletes every object under a prefix and aborts every upload, then looks again, until a look finds
 * nothing. While credentials for the prefix are alive someone may write on; after a few rounds that is
 * an error to try again later.
 * @throws ProviderError
 */
export async function emptyPrefix(stores: Stores, prefix: string): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    // Uploads first: one that is completed meanwhile shows up as an object.
    const found = (await abortUploads(stores, prefix)) + (await removeObjects(stores, prefix));
    if (found === 0) return;
  }
  throw new ProviderError(
    provider,
    "unavailable",
    "still holds objects of the build after they were deleted",
  );
}

async function abortUploads(stores: Stores, prefix: string): Promise<number> {
  let found = 0;
  for await (const uploads of stores.fetch.listUploads(prefix)) {
    found += uploads.length;
    for (const upload of uploads) await (await storeFor(stores, upload.key)).abortUpload(upload);
  }
  return found;
}

async function removeObjects(stores: Stores, prefix: string): Promise<number> {
  let found = 0;
  for await (const keys of stores.fetch.listKeys(prefix)) {
    found += keys.length;
    const { plain = [], odd = [] } = Object.groupBy(keys, (key) => (fitsXml(key) ? "plain" : "odd"));
    if (plain.length > 0) await stores.fetch.removeMany(plain);
    for (const key of odd) await (await storeFor(stores, key)).remove(key);
  }
  return found;
}

/** What stands in an address between slashes as `.` or `..` is resolved by fetch, and only by fetch. */
const storeFor = async (stores: Stores, key: string) =>
  key.split("/").some((part) => part === "." || part === "..") ? stores.socket() : stores.fetch;

/** Whether XML 1.0 has all characters of a key (section 2.2); a key without is deleted by its address. */
function fitsXml(key: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML lacks
  return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(key);
}
