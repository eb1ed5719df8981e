import type { StorageContent, StoredObject, TransferProgress } from "@keyloan/contract";
import { eachInParallel } from "./in-parallel.ts";
import {
  type HashedObject,
  listOf,
  manifestOf,
  type ObjectList,
  type ObjectManifest,
} from "./object-manifest.ts";
import { notFaithful, targetNotEmpty } from "./transfer-database.ts";
import { at, sided, type TransferEnd, TransferFailure } from "./transfer-failure.ts";

const atOnce = 4;
const passesMax = 4;

export type ObjectTransfer = {
  readonly storage: StorageContent;
  readonly from: TransferEnd;
  readonly to: TransferEnd;
  /** Objects of the same key may be replaced: the target's owner said so. */
  readonly overwrite: boolean;
  /** What is there already may be ours, left by an attempt before this one: what is equal is not copied again. */
  readonly resuming: boolean;
  /**
   * Repeats a call on one object that failed for a reason that passes, until the signal ends; one of many must not
   * end them all.
   */
  readonly retry: <T>(call: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Resolves when it is kept that the target holds something of us from now on. */
  readonly beforeWriting: () => Promise<void>;
  readonly onProgress: (progress: TransferProgress) => void;
};

/**
 * Copies every object, then reads both ends again: what was written at the source meanwhile is copied once more,
 * until a pass finds nothing. Other objects of the target are never touched.
 * @returns what both hold
 * @throws BrokerError `target_not_empty` before anything is written, or `not_faithful` when the source does not
 * come to rest; TransferFailure
 */
export async function transferObjects(given: ObjectTransfer): Promise<ObjectManifest> {
  const transfer = { ...given, storage: patient(given) };
  const { storage, from, to, onProgress } = transfer;
  onProgress({ phase: "counting" });
  if (!transfer.overwrite && !transfer.resuming && !(await isEmptyStorage(storage, to))) {
    throw targetNotEmpty("files");
  }
  const total = await count(storage, from);
  const totals = { objectsTotal: total.objects, bytesTotal: total.bytes };
  await transfer.beforeWriting();
  await copyAll(transfer, totals);
  const proven = new Map<string, HashedObject>();
  for (let pass = 1; pass <= passesMax; pass++) {
    const { changed, listed } = await provePass(transfer, proven, totals);
    for (const key of proven.keys()) if (!listed.has(key)) proven.delete(key);
    if (changed.length === 0) return manifestOf(proven);
    if (pass === passesMax) throw notFaithful(changed);
  }
  throw new Error("a pass ended without an answer");
}

function patient({ storage, retry }: ObjectTransfer): StorageContent {
  return {
    list: storage.list,
    copy: (from, to, ...more) => retry(() => storage.copy(from, to, ...more), to.context.signal),
    hash: (context, ...more) => retry(() => storage.hash(context, ...more), context.signal),
  };
}

/** Whether no object is there. Asks for the first alone. */
export async function isEmptyStorage(storage: StorageContent, end: TransferEnd): Promise<boolean> {
  try {
    for await (const _ of storage.list(end.context, end.values)) return false;
    return true;
  } catch (error) {
    throw sided("target", error);
  }
}

/** What is there by name and size, to see whether anything changed since. */
export async function listObjects(storage: StorageContent, end: TransferEnd): Promise<ObjectList> {
  const listed = new Map<string, { readonly bytes: number }>();
  for await (const { key, bytes } of storage.list(end.context, end.values)) listed.set(key, { bytes });
  return listOf(listed);
}

async function count(storage: StorageContent, from: TransferEnd) {
  let [objects, bytes] = [0, 0];
  try {
    for await (const object of storage.list(from.context, from.values)) {
      objects += 1;
      bytes += object.bytes;
    }
  } catch (error) {
    throw sided("source", error);
  }
  return { objects, bytes };
}

type Totals = { readonly objectsTotal: number; readonly bytesTotal: number };

async function copyAll(transfer: ObjectTransfer, totals: Totals): Promise<void> {
  const { storage, from, to, onProgress } = transfer;
  let [objects, bytes] = [0, 0];
  const report = (item: string) => onProgress({ phase: "copying", objects, bytes, ...totals, item });
  onProgress({ phase: "copying", objects, bytes, ...totals });
  await eachInParallel(listing(transfer), atOnce, async (object, signal) => {
    const ends = { from: ending(from, signal), to: ending(to, signal) };
    ends.to.context.signal.throwIfAborted();
    if (transfer.resuming && (await isThere(storage, ends, object))) {
      bytes += object.bytes;
    } else {
      let reported = 0;
      await copyOne(storage, ends, object, (more) => {
        bytes += more;
        reported += more;
        report(object.key);
      });
      bytes += object.bytes - reported;
    }
    objects += 1;
    report(object.key);
  });
}

/** Compares both ends and copies what differs; gives what it had to copy, and every key of the source. */
async function provePass(transfer: ObjectTransfer, proven: Map<string, HashedObject>, totals: Totals) {
  const { storage, from, to, onProgress } = transfer;
  const [changed, listed] = [[] as string[], new Set<string>()];
  onProgress({ phase: "proving", objects: proven.size, ...totals });
  await eachInParallel(listing(transfer), atOnce, async (object, signal) => {
    listed.add(object.key);
    if (proven.get(object.key)?.bytes === object.bytes) return;
    const ends = { from: ending(from, signal), to: ending(to, signal) };
    const [source, target] = await Promise.all([
      at("source", storage.hash(ends.from.context, ends.from.values, object.key)),
      at("target", storage.hash(ends.to.context, ends.to.values, object.key)),
    ]);
    // Removed since it was listed.
    if (source === undefined) return;
    if (target?.sha256 === source.sha256 && target.bytes === source.bytes) proven.set(object.key, source);
    else {
      changed.push(object.key);
      proven.delete(object.key);
      await copyOne(storage, ends, { key: object.key, bytes: source.bytes });
    }
    onProgress({ phase: "proving", objects: proven.size, ...totals, item: object.key });
  });
  return { changed, listed };
}

type Ends = { readonly from: TransferEnd; readonly to: TransferEnd };

async function isThere(storage: StorageContent, { from, to }: Ends, { key, bytes }: StoredObject) {
  const target = await at("target", storage.hash(to.context, to.values, key));
  if (target?.bytes !== bytes) return false;
  const source = await at("source", storage.hash(from.context, from.values, key));
  return source?.sha256 === target.sha256;
}

async function copyOne(
  storage: StorageContent,
  ends: Ends,
  object: StoredObject,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  try {
    await storage.copy(ends.from, ends.to, object, onBytes);
  } catch (error) {
    if (error instanceof TransferFailure) throw error;
    // It may have been removed since it was listed; the proof finds out what is there now.
    if (await isGone(storage, ends.from, object.key)) return;
    throw sided(await failingSide(storage, ends, object.key, error), error);
  }
}

async function isGone(storage: StorageContent, from: TransferEnd, key: string): Promise<boolean> {
  return storage.hash(from.context, from.values, key).then(
    (found) => found === undefined,
    () => false,
  );
}

/** Which end a copy failed at: only the target can be full, and an end that cannot be read is the one. */
async function failingSide(storage: StorageContent, { from }: Ends, key: string, error: unknown) {
  if (codeOf(error) === "quota_exceeded") return "target";
  return storage.hash(from.context, from.values, key).then(
    () => "target" as const,
    () => "source" as const,
  );
}

const codeOf = (error: unknown) =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;

async function* listing({ storage, from }: ObjectTransfer): AsyncIterable<StoredObject> {
  try {
    yield* storage.list(from.context, from.values);
  } catch (error) {
    throw sided("source", error);
  }
}

function ending(end: TransferEnd, signal: AbortSignal): TransferEnd {
  return { ...end, context: { ...end.context, signal: AbortSignal.any([end.context.signal, signal]) } };
}
