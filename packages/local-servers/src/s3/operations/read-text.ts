import type { ChecksumSubject } from "../body/request-body.ts";
import { S3Error } from "../s3-error.ts";
import type { BucketContext } from "./context.ts";

// Enough for 1000 keys of 1024 bytes with every character written as a reference.
const documentBytesMax = 8 * 1024 * 1024;

/**
 * The body of a request as text, for an XML document; it is verified like any other body.
 * @param checksums `of_object` if the request's checksum headers are not for its body
 */
export async function readText(
  { openBody }: Pick<BucketContext, "openBody">,
  checksums: ChecksumSubject = "of_body",
): Promise<string> {
  const chunks: Buffer[] = [];
  await openBody(documentBytesMax, checksums).read((chunk) => void chunks.push(chunk));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new S3Error("MalformedXML", "The XML of the request is not UTF-8.");
  }
}
