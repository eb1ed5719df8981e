import { type ChecksumAlgorithm, checksumAlgorithms, createChecksum } from "../body/checksum.ts";
import { headerOrQuery, type S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { ObjectInfo } from "../store/object-info.ts";

/**
 * The checksum that a client declares for the object that its parts make up: of all data, or (composite) of the
 * parts' checksums ("Checking object integrity, multipart uploads").
 */
export type ObjectChecksum = {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
  readonly isComposite: boolean;
};

export function readObjectChecksum(request: S3Request): ObjectChecksum | undefined {
  for (const algorithm of checksumAlgorithms) {
    const given = headerOrQuery(request, `x-amz-checksum-${algorithm}`);
    if (given === undefined) continue;
    const isComposite =
      headerOrQuery(request, "x-amz-checksum-type") === "COMPOSITE" || /-\d{1,5}$/.test(given);
    return { algorithm, value: given.replace(/-\d{1,5}$/, ""), isComposite };
  }
  return undefined;
}

/** @throws S3Error if the parts' checksums do not combine into the checksum that was given for the object */
export function proveComposite({ algorithm, value }: ObjectChecksum, parts: readonly ObjectInfo[]): void {
  const sum = createChecksum(algorithm);
  for (const { checksum } of parts) {
    if (checksum?.algorithm !== algorithm) {
      throw new S3Error("InvalidRequest", `A part was uploaded without a ${algorithm} checksum.`);
    }
    sum.update(Buffer.from(checksum.value, "base64"));
  }
  if (sum.digest() !== value) throw badObjectDigest(algorithm);
}

export const badObjectDigest = (algorithm: ChecksumAlgorithm) =>
  new S3Error("BadDigest", `The ${algorithm} you specified for the object did not match what we calculated.`);
