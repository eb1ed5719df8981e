import { requireAction } from "../policy.ts";
import { writeXml } from "../xml.ts";
import { type BucketContext, type S3Answer, xmlAnswer } from "./context.ts";

/** HeadBucket. A credential that may ask for a bucket's location may also ask whether the bucket exists. */
export async function headBucket({ policy, bucketName }: BucketContext): Promise<S3Answer> {
  requireAction(policy, "GetBucketLocation", bucketName);
  return { status: 200, headers: { "x-amz-bucket-region": "auto" } };
}

export async function getBucketLocation({ policy, bucketName }: BucketContext): Promise<S3Answer> {
  requireAction(policy, "GetBucketLocation", bucketName);
  return xmlAnswer(writeXml("LocationConstraint", "auto"));
}
