import { createHash } from "node:crypto";

export type HashedObject = { readonly bytes: number; readonly sha256: string };

export type ObjectList = {
  readonly objects: number;
  readonly bytes: number;
  /** Over one line of JSON, `[key,bytes]`, for each object, ordered by the bytes of the key. */
  readonly listSha256: string;
};

export type ObjectManifest = ObjectList & {
  /** Over one line of JSON, `[key,bytes,sha256]`, for each object, ordered by the bytes of the key. */
  readonly manifestSha256: string;
};

/** Tells objects with equal contents by one hash. */
export function manifestOf(objects: ReadonlyMap<string, HashedObject>): ObjectManifest {
  const hash = createHash("sha256");
  for (const [key, { bytes, sha256 }] of inOrder(objects)) {
    hash.update(`${JSON.stringify([key, bytes, sha256])}\n`);
  }
  return { ...listOf(objects), manifestSha256: hash.digest("hex") };
}

/** Tells what is there by one hash, as far as a list shows it. */
export function listOf(objects: ReadonlyMap<string, { readonly bytes: number }>): ObjectList {
  const hash = createHash("sha256");
  let total = 0;
  for (const [key, { bytes }] of inOrder(objects)) {
    hash.update(`${JSON.stringify([key, bytes])}\n`);
    total += bytes;
  }
  return { objects: objects.size, bytes: total, listSha256: hash.digest("hex") };
}

function inOrder<T>(objects: ReadonlyMap<string, T>): [string, T][] {
  return [...objects].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
