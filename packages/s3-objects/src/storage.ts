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
  /** Opens the bucket that an app's variables name; `prefix` is the start of the app's keys. */
  readonly open: (
    context: ConnectorContext,
    values: SecretValues,
  ) => Promise<{ readonly store: ObjectStore; readonly prefix: string }>;
  /** What to do about an error, in the terms of the store's provider. */
  readonly remedies?: Remedies;
  /** Whether an error is passed on unchanged. */
  readonly isFinal?: (error: ProviderError) => boolean;
};

/**
 * Moves the objects of a build or of a user. S3 copies nothing between two accounts, so every byte passes through here
 * in pieces: it is read with one account's key, written with the other's, and verified.
 */
export function createStorage({ open, remedies, isFinal = () => false }: StorageOptions): StorageContent {
  const withPlace = (place: Place, error: ProviderError) => new StorageError(error, place, remedies);
  /** The error with its place, unless it already has one, is passed on unchanged, or leads to another attempt. */
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

  /** Starts again if an object changed while it was read, up to `attemptsMax` times in all. */
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
          // Consoles store a folder as an empty object; this one is the prefix itself, not a file in it.
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

/** fetch resolves `.` and `..` in an address; the length is S3's own limit ("Object keys"). */
function canBeSent(key: string): boolean {
  const isResolved = key.split("/").some((part) => part === "." || part === "..");
  return key !== "" && !isResolved && Buffer.byteLength(key) <= keyBytesMax;
}
