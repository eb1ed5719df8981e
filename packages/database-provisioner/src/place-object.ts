import { type HashedVersion, ProviderError, type StorageContent, type StoredObject } from "@keyloan/contract";
import type { HashedObject } from "./object-manifest.ts";
import { targetNotEmpty } from "./transfer-database.ts";
import { at, sided, type TransferEnd, TransferFailure } from "./transfer-failure.ts";

export type WrittenObjects = {
  /** The SHA-256 of what we last wrote under the key; `undefined` if we never did. */
  readonly recall: (key: string) => Promise<string | undefined>;
  readonly keep: (key: string, sha256: string) => Promise<void>;
};

export type Placing = {
  readonly storage: StorageContent;
  /** Whether objects of the same key that we never wrote may be replaced, because the target's owner allowed it. */
  readonly overwrite: boolean;
  /** What we wrote to the target and have not given to its owner: all that may be replaced without their permission. */
  readonly written: WrittenObjects;
};

export type Ends = { readonly from: TransferEnd; readonly to: TransferEnd };

export const isSame = (source: HashedObject, target: HashedObject | undefined) =>
  target?.sha256 === source.sha256 && target.bytes === source.bytes;

export function targetHash({ storage }: Placing, { to }: Ends, { key }: StoredObject) {
  return at("target", storage.hash(to.context, to.values, key));
}

/**
 * Makes sure that the target has one object of the source.
 * @param object with `sha256` if the source was just read too; then it is not read again for the comparison
 * @param target what was just read at the target
 * @throws BrokerError `target_not_empty` if the target has another object there that may not be replaced
 */
export async function place(
  transfer: Placing,
  ends: Ends,
  object: StoredObject & { readonly sha256?: string },
  target: HashedVersion | undefined,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const { storage, written } = transfer;
  let found = target;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if (found !== undefined) {
      const differs = attempt === 1 && object.sha256 !== undefined && object.sha256 !== found.sha256;
      if (!differs && (await isThere(storage, ends, object, found))) return;
      if (!(await mayReplace(transfer, object.key, found))) {
        // The source's object may have been removed since it was read: then there is nothing to copy.
        if (differs && (await isThere(storage, ends, object, found))) return;
        throw targetNotEmpty("files", object.key);
      }
    }
    const sent = await copyOne(storage, ends, object, found?.version, onBytes);
    if (sent === "gone") return;
    if (sent !== undefined) return written.keep(object.key, sent.sha256);
    // Somebody else wrote there at the same moment.
    found = await targetHash(transfer, ends, object);
  }
  throw sided("target", new ProviderError("storage", "unavailable", "has an object that keeps changing"));
}

const attemptsMax = 3;

/** Whether there is nothing to copy: the target has the object, or the source no longer does. Compares sizes first. */
async function isThere(
  storage: StorageContent,
  { from }: Ends,
  { key, bytes }: StoredObject,
  found: HashedObject,
) {
  if (found.bytes !== bytes) return false;
  const source = await at("source", storage.hash(from.context, from.values, key));
  return source === undefined || isSame(source, found);
}

/** True for what we wrote and nobody changed, and for what we never wrote if the owner allowed to overwrite it. */
async function mayReplace(
  { written, overwrite }: Placing,
  key: string,
  { sha256 }: HashedObject,
): Promise<boolean> {
  const ours = await written.recall(key);
  return ours === undefined ? overwrite : ours === sha256;
}

async function copyOne(
  storage: StorageContent,
  ends: Ends,
  object: StoredObject,
  over: string | undefined,
  onBytes?: (bytes: number) => void,
): Promise<HashedObject | "gone" | undefined> {
  try {
    return await storage.copy(ends.from, ends.to, object, onBytes, over);
  } catch (error) {
    if (error instanceof TransferFailure) throw error;
    // The object may have been removed since it was listed; the proof finds out what is there now.
    if (await isGone(storage, ends.from, object.key)) return "gone";
    throw sided(await failingSide(storage, ends, object.key, error), error);
  }
}

async function isGone(storage: StorageContent, from: TransferEnd, key: string): Promise<boolean> {
  return storage.hash(from.context, from.values, key).then(
    (found) => found === undefined,
    () => false,
  );
}

/** Which end a copy failed at: only the target can be full, and if the source cannot be read, it is the source. */
async function failingSide(storage: StorageContent, { from }: Ends, key: string, error: unknown) {
  if (codeOf(error) === "quota_exceeded") return "target";
  return storage.hash(from.context, from.values, key).then(
    () => "target" as const,
    () => "source" as const,
  );
}

const codeOf = (error: unknown) =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
