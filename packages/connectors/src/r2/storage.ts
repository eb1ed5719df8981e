import type { StorageContent } from "@keyloan/contract";
import { copyObject } from "./copy-object.ts";
import { valuesAccess } from "./endpoint.ts";
import { hashObject } from "./read-object.ts";
import { openStorage } from "./storage-client.ts";
import { openEnd } from "./storage-end.ts";
import { ChangedUnderway, type Place, storageError } from "./storage-errors.ts";

/**
 * The objects of a build or of a user. R2 copies nothing between two accounts, so every byte comes through here, in
 * pieces: read with the key of the one, written with the key of the other, and proven.
 */
export const r2Storage: StorageContent = {
  list: async function* (context, values) {
    const { prefix, ...access } = valuesAccess(values);
    try {
      const store = await openStorage(context, access);
      for await (const objects of store.list(prefix)) {
        for (const { key, bytes } of objects) {
          // Consoles keep a folder as an object of no bytes; this one is the prefix itself and no file in it.
          if (key !== prefix || bytes > 0) yield { key: key.slice(prefix.length), bytes };
        }
      }
    } catch (error) {
      throw storageError(error, "storage");
    }
  },
  copy: async (from, to, { key }, onBytes, over) => {
    const source = await openEnd(from, key, "source");
    const target = await openEnd(to, key, "target");
    return whileUnchanged("source", () => copyObject(source, target, onBytes, over));
  },
  hash: async (context, values, key) => {
    const end = await openEnd({ context, values }, key, "storage");
    return whileUnchanged("storage", () => hashObject(end.store, end.key));
  },
};

const attemptsMax = 3;

/** Begins anew when an object changed while it was read. */
async function whileUnchanged<T>(place: Place, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ChangedUnderway)) throw error;
      if (attempt === attemptsMax) throw storageError(error, place);
    }
  }
}
