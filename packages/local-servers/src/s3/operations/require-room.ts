import { S3Error } from "../s3-error.ts";
import type { ObjectContext } from "./context.ts";

/**
 * Refuses a write that would make the bucket larger than allowed.
 * @param replacedBytes the size of the object or part that the new bytes replace
 * @throws S3Error `QuotaExceeded`
 */
export function requireRoom({ bucket, limits }: ObjectContext, bytes: number, replacedBytes: number): void {
  const { bucketBytesMax } = limits;
  if (bucketBytesMax === undefined || usedBytes(bucket) - replacedBytes + bytes <= bucketBytesMax) return;
  throw new S3Error("QuotaExceeded", "The bucket may not hold more.");
}

function usedBytes({ index, uploads }: ObjectContext["bucket"]): number {
  let bytes = 0;
  for (let position = 0; position < index.size(); position++) {
    bytes += index.get(index.keyAt(position) ?? "")?.size ?? 0;
  }
  for (const { parts } of uploads.all()) for (const { size } of parts.values()) bytes += size;
  return bytes;
}
