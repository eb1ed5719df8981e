import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Bucket, openBucket } from "./bucket.ts";

/** Bucket names as R2 allows them ("Create buckets, bucket-level operations"). */
const bucketName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/**
 * Opens the buckets of a data directory and creates those that do not exist.
 * @throws Error for a name that R2 would not accept
 */
export async function openStore(
  dataDirectory: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Bucket>> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const buckets = new Map<string, Bucket>();
  for (const name of names) {
    if (!bucketName.test(name)) throw new Error(`${JSON.stringify(name)} is no bucket name`);
    buckets.set(name, await openBucket(join(dataDirectory, name)));
  }
  return buckets;
}
