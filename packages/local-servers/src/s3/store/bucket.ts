import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { createKeyIndex, type KeyIndex } from "./key-index.ts";
import { isMissing, type OpenObject, openObjectFile } from "./object-file.ts";
import type { ObjectInfo, ObjectSummary } from "./object-info.ts";
import { createPendingFile, type PendingFile } from "./pending-file.ts";
import { openUploads, type Uploads } from "./uploads.ts";

/** One bucket in its folder. Only one process at a time may have it open. */
export type Bucket = {
  readonly index: Pick<KeyIndex, "get" | "size" | "keyAt" | "search">;
  readonly uploads: Uploads;
  /** An object opened for reading; the caller closes its handle. */
  readonly open: (key: string) => Promise<OpenObject | undefined>;
  readonly begin: () => PendingFile;
  /** Replaces the object by a finished file in one step: it is synchronous, so nothing else runs in between. */
  readonly commit: (pending: PendingFile, info: ObjectInfo) => void;
  readonly remove: (key: string) => void;
};

/**
 * Opens a bucket's folder, creates it if it does not exist, and removes what a crash left half-written.
 * Objects are stored under the SHA-256 of their key, so no key can name a path outside, be too long for the
 * file system, or collide with a key that differs only in letter case.
 */
export async function openBucket(directory: string): Promise<Bucket> {
  const objects = join(directory, "objects");
  const temporary = join(directory, "temporary");
  rmSync(temporary, { recursive: true, force: true });
  for (const folder of [objects, temporary]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const index = createKeyIndex();
  index.load(await readSummaries(objects));
  return {
    index,
    uploads: await openUploads(join(directory, "uploads")),
    // The index knows which keys do not exist; asking the file system would cost a thrown error.
    open: async (key) =>
      index.get(key) === undefined ? undefined : openObjectFile(objectPath(objects, key)),
    begin: () => createPendingFile(temporary),
    commit: (pending, info) => {
      pending.commit(objectPath(objects, info.key));
      index.set(info.key, summaryOf(info));
    },
    remove: (key) => {
      removeFile(objectPath(objects, key));
      index.remove(key);
    },
  };
}

function objectPath(objects: string, key: string): string {
  const name = createHash("sha256").update(key).digest("hex");
  return join(objects, name.slice(0, 2), name.slice(2));
}

async function readSummaries(objects: string): Promise<[string, ObjectSummary][]> {
  const summaries: [string, ObjectSummary][] = [];
  for (const folder of readdirSync(objects)) {
    for (const name of readdirSync(join(objects, folder))) {
      const found = await openObjectFile(join(objects, folder, name));
      if (found === undefined) continue;
      summaries.push([found.info.key, summaryOf(found.info)]);
      await found.handle.close();
    }
  }
  return summaries;
}

const summaryOf = ({ size, etag, lastModifiedMs }: ObjectInfo): ObjectSummary => ({
  size,
  etag,
  lastModifiedMs,
});

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
