/** The actions that a temporary credential of R2 can list ("Temporary credentials", actions). */
export const s3Actions = [
  "HeadObject",
  "GetObject",
  "GetBucketLocation",
  "ListObjectsV1",
  "ListObjectsV2",
  "ListMultipartUploads",
  "ListParts",
  "PutObject",
  "DeleteObject",
  "DeleteObjects",
  "CopyObject",
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "AbortMultipartUpload",
  "CompleteMultipartUpload",
] as const;
export type S3Action = (typeof s3Actions)[number];

/** What a read-only credential may do. */
export const s3ReadActions: readonly S3Action[] = [
  "HeadObject",
  "GetObject",
  "GetBucketLocation",
  "ListObjectsV1",
  "ListObjectsV2",
  "ListMultipartUploads",
  "ListParts",
];
