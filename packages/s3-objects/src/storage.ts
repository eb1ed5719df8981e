import {
  type ConnectorContext,
  ProviderError,
  type SecretValues,
  type StorageContent,
  type StorageEnd,
} from "@keyloan/contract";
import { copyObject, findObject } from "./copy-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { hashObject, readPieces } from "./read-object.ts";
import { ChangedUnderway, type Place, type Remedies, StorageError, unsendableKey } from "./storage-errors.ts";
import { cleaningMsMax, type WritableObject } from "./upload-parts.ts";

export type StorageOptions = {
  /** The bucket that an app has by its variables, and what its keys start with. */
  readonly open: (
    context: ConnectorContext,
    values: SecretValues,
  ) => Promise<{ readonly store: ObjectStore; readonly prefix: string }>;
  /** What to do about an error, in the words of whoever sells the store. */
  readonly remedies?: Remedies;
  /** Errors that are handed on as they are. */
  readonly isFinal?: (error: ProviderError) => boolean;
};

/**
 * Moves the objects of a build or of a user. S3 copies nothing between two accounts, so every byte comes through here,
 * in pieces: read with the key of the one, written with the key of the other, and proven.
 */
export function createStorage({ open, remedies, isFinal = () => false }: StorageOptions): StorageContent {
  const withPlace = (place: Place, error: ProviderError) => new StorageError(error, place, remedies);
  /** The error with its place, unless it has one, is to be seen as it is, or is no end yet. */
  const placed = (place: Place, error: unknown): unknown => {
    const isOpen = error instanceof ProviderError && !isFinal(error);
    return !isOpen || error instanceof StorageError || error instanceof ChangedUnderway
      ? error
      : withPlace(place, error);
  };
  const at = <T>(place: Place, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw placed(place, error);
    });
  async function* eachAt<T>(place: Place, items: AsyncIterable<T>): AsyncGenerator<T, void, void> {
    try {
      yield* items;
    } catch (error) {
      throw placed(place, error);
    }
  }

  async function openEnd({ context, values }: StorageEnd, ownKey: string): Promise<WritableObject> {
    const { store, prefix } = await open(context, values);
    const key = `${prefix}${ownKey}`;
    if (!canBeSent(key)) throw unsendableKey(store.name);
    const openForCleaning = async () =>
      (await open({ ...context, signal: AbortSignal.timeout(cleaningMsMax) }, values)).store;
    return { store, key, openForCleaning };
  }

  /** Begins anew when an object changed while it was read. */
  async function whileUnchanged<T>(place: Place, read: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof ChangedUnderway)) throw error;
        if (attempt === attemptsMax) throw withPlace(place, error);
      }
    }
  }

  return {
    list: async function* (context, values) {
      const { store, prefix } = await at("storage", open(context, values));
      for await (const objects of eachAt("storage", store.list(prefix))) {
        for (const { key, bytes } of objects) {
          // Consoles keep a folder as an object of no bytes; this one is the prefix itself and no file in it.
          if (key !== prefix || bytes > 0) yield { key: key.slice(prefix.length), bytes };
        }
      }
    },
    copy: async (from, to, { key }, onBytes, over) => {
      const source = await at("source", openEnd(from, key));
      const target = await at("target", openEnd(to, key));
      return whileUnchanged("source", async () => {
        const facts = await at("source", findObject(source.store, source.key));
        const pieces = eachAt("source", readPieces(source.store, source.key, facts));
        return at("target", copyObject(pieces, facts, target, onBytes, over));
      });
    },
    hash: async (context, values, key) => {
      const { store, key: whole } = await at("storage", openEnd({ context, values }, key));
      return whileUnchanged("storage", () => at("storage", hashObject(store, whole)));
    },
  };
}

const attemptsMax = 3;
const keyBytesMax = 1024;

/** What stands in an address as `.` or `..` is resolved by fetch; the length is S3's own limit ("Object keys"). */
function canBeSent(key: string): boolean {
  const isResolved = key.split("/").some((part) => part === "." || part === "..");
  return key !== "" && !isResolved && Buffer.byteLength(key) <= keyBytesMax;
}
