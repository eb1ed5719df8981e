import type { StorageContent, StoredObject, TransferProgress } from "@keyloan/contract";
import { eachInParallel } from "./in-parallel.ts";
import { listBounded } from "./list-bounded.ts";
import {
  type HashedObject,
  listOf,
  manifestOf,
  type ObjectList,
  type ObjectManifest,
} from "./object-manifest.ts";
import { isSame, type Placing, place, targetHash } from "./place-object.ts";
import { notFaithful, targetNotEmpty } from "./transfer-database.ts";
import { at, sided, type TransferEnd } from "./transfer-failure.ts";

const atOnce = 4;
const passesMax = 4;

export type ObjectTransfer = Placing & {
  readonly from: TransferEnd;
  readonly to: TransferEnd;
  /** Whether objects in the target may be ours, left by an earlier attempt: equal ones are not copied again. */
  readonly resuming: boolean;
  /**
   * Repeats a call on one object after a temporary failure, until the signal is aborted; one of many objects must not
   * end the whole transfer.
   */
  readonly retry: <T>(call: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Resolves once it is recorded that the target contains something of ours from now on. */
  readonly beforeWriting: () => Promise<void>;
  readonly onProgress: (progress: TransferProgress) => void;
};

/**
 * Copies every object, then reads both ends again: what was written at the source meanwhile is copied once more, until
 * a pass finds nothing. Never touches other objects of the target. An object of the same key is replaced only if we
 * wrote it and nobody changed it, or if we never wrote it and its owner allowed to overwrite it.
 * @returns what both contain
 * @throws BrokerError `target_not_empty` before anything is written, or naming an object that is not ours and differs;
 * `not_faithful` if the source keeps changing; `not_supported` for too many; TransferFailure
 */
export async function transferObjects(given: ObjectTransfer): Promise<ObjectManifest> {
  const transfer = { ...given, storage: patient(given) };
  const { storage, to, onProgress } = transfer;
  onProgress({ phase: "counting" });
  if (!transfer.overwrite && !transfer.resuming && !(await isEmptyStorage(storage, to))) {
    throw targetNotEmpty("files");
  }
  const total = await count(transfer);
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

/** Whether there is no object. Reads only the first one. */
export async function isEmptyStorage(storage: StorageContent, end: TransferEnd): Promise<boolean> {
  try {
    for await (const _ of storage.list(end.context, end.values)) return false;
    return true;
  } catch (error) {
    throw sided("target", error);
  }
}

/** Lists objects by name and size, to see later whether anything changed. @throws BrokerError `not_supported` */
export async function listObjects(storage: StorageContent, end: TransferEnd): Promise<ObjectList> {
  const listed = new Map<string, { readonly bytes: number }>();
  for await (const { key, bytes } of listBounded(storage, end)) listed.set(key, { bytes });
  return listOf(listed);
}

async function count(transfer: ObjectTransfer) {
  let [objects, bytes] = [0, 0];
  for await (const object of listing(transfer)) {
    objects += 1;
    bytes += object.bytes;
  }
  return { objects, bytes };
}

type Totals = { readonly objectsTotal: number; readonly bytesTotal: number };

async function copyAll(transfer: ObjectTransfer, totals: Totals): Promise<void> {
  const { from, to, onProgress } = transfer;
  let [objects, bytes] = [0, 0];
  const report = (item: string) => onProgress({ phase: "copying", objects, bytes, ...totals, item });
  onProgress({ phase: "copying", objects, bytes, ...totals });
  // If the target was seen to be empty, objects are written at once: the copy reports anything written there since.
  const look = transfer.overwrite || transfer.resuming;
  await eachInParallel(listing(transfer), atOnce, async (object, signal) => {
    const ends = { from: ending(from, signal), to: ending(to, signal) };
    ends.to.context.signal.throwIfAborted();
    let reported = 0;
    await place(
      transfer,
      ends,
      object,
      look ? await targetHash(transfer, ends, object) : undefined,
      (more) => {
        bytes += more;
        reported += more;
        report(object.key);
      },
    );
    bytes += object.bytes - reported;
    objects += 1;
    report(object.key);
  });
}

/** Compares both ends and copies what differs. Returns the keys it had to copy, and all keys of the source. */
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
      targetHash(transfer, ends, object),
    ]);
    // The object was removed since it was listed.
    if (source === undefined) return;
    if (isSame(source, target)) proven.set(object.key, { bytes: source.bytes, sha256: source.sha256 });
    else {
      changed.push(object.key);
      proven.delete(object.key);
      await place(transfer, ends, { key: object.key, bytes: source.bytes, sha256: source.sha256 }, target);
    }
    onProgress({ phase: "proving", objects: proven.size, ...totals, item: object.key });
  });
  return { changed, listed };
}

async function* listing({ storage, from }: ObjectTransfer): AsyncIterable<StoredObject> {
  try {
    yield* listBounded(storage, from);
  } catch (error) {
    throw sided("source", error);
  }
}

function ending(end: TransferEnd, signal: AbortSignal): TransferEnd {
  return { ...end, context: { ...end.context, signal: AbortSignal.any([end.context.signal, signal]) } };
}
