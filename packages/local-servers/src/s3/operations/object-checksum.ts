import { type ChecksumAlgorithm, checksumAlgorithms, createChecksum } from "../body/checksum.ts";
import { headerOrQuery, type S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { ObjectInfo } from "../store/object-info.ts";

/**
 * What a client says of the object that its parts will make: a sum over all data, or (composite) over the
 * sums of the parts ("Checking object integrity, multipart uploads").
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

/** @throws S3Error when the sums that came with the parts do not make the one given for the object */
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
