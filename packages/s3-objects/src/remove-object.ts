import type { ObjectStore } from "./object-store.ts";
import { pendingIds } from "./upload-parts.ts";

/** Removes an object and every unfinished upload of its key. Returns whether it is gone, by looking it up again. */
export async function removeObject(store: ObjectStore, key: string): Promise<boolean> {
  for (const uploadId of await pendingIds(store, key)) await store.abort({ key, uploadId });
  await store.remove(key);
  return (await store.head(key)) === undefined;
}
