import { createHash } from "node:crypto";
import { createTurns, sortInTurns } from "./turns.ts";

export type HashedObject = { readonly bytes: number; readonly sha256: string };

export type ObjectList = {
  readonly objects: number;
  readonly bytes: number;
  /** SHA-256 of one line of JSON, `[key,bytes]`, for each object, ordered by the bytes of the key. */
  readonly listSha256: string;
};

export type ObjectManifest = ObjectList & {
  /** SHA-256 of one line of JSON, `[key,bytes,sha256]`, for each object, ordered by the bytes of the key. */
  readonly manifestSha256: string;
};

/** Summarizes objects and their contents in one hash. Yields to other work regularly, for any number of objects. */
export async function manifestOf(objects: ReadonlyMap<string, HashedObject>): Promise<ObjectManifest> {
  const manifestSha256 = await hashOf(objects, (key, { bytes, sha256 }) => [key, bytes, sha256]);
  return { ...(await listOf(objects)), manifestSha256 };
}

/** Summarizes what a list of the objects shows, their names and sizes, in one hash, in the same way. */
export async function listOf(objects: ReadonlyMap<string, { readonly bytes: number }>): Promise<ObjectList> {
  let total = 0;
  const listSha256 = await hashOf(objects, (key, { bytes }) => {
    total += bytes;
    return [key, bytes];
  });
  return { objects: objects.size, bytes: total, listSha256 };
}

async function hashOf<T>(
  objects: ReadonlyMap<string, T>,
  lineOf: (key: string, object: T) => readonly unknown[],
): Promise<string> {
  const hash = createHash("sha256");
  const turns = createTurns();
  for (const { key, value } of await inOrder(objects)) {
    hash.update(`${JSON.stringify(lineOf(key, value))}\n`);
    await turns(1);
  }
  return hash.digest("hex");
}

/** `bytes` is the key's bytes as a text of one character each, which engines compare much faster than buffers. */
type Entry<T> = { readonly key: string; readonly value: T; readonly bytes: string };

async function inOrder<T>(objects: ReadonlyMap<string, T>): Promise<readonly Entry<T>[]> {
  const turns = createTurns();
  const entries: Entry<T>[] = [];
  for (const [key, value] of objects) {
    entries.push({ key, value, bytes: Buffer.from(key).toString("latin1") });
    await turns(1);
  }
  return sortInTurns(entries, (a, b) => (a.bytes < b.bytes ? -1 : a.bytes > b.bytes ? 1 : 0), turns);
}
