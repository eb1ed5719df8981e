import type { ObjectStore } from "./object-store.ts";
import { pendingIds } from "./upload-parts.ts";

/** Removes an object with every unfinished upload of its key, and gives whether it is gone, by reading it back. */
export async function removeObject(store: ObjectStore, key: string): Promise<boolean> {
  for (const uploadId of await pendingIds(store, key)) await store.abort({ key, uploadId });
  await store.remove(key);
  return (await store.head(key)) === undefined;
}
