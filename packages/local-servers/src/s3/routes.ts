import type { S3Action } from "./actions.ts";
import { getBucketLocation, headBucket } from "./operations/bucket-facts.ts";
import { completeUpload } from "./operations/complete-upload.ts";
import type { BucketContext, ObjectContext, S3Answer } from "./operations/context.ts";
import { copyObject } from "./operations/copy-object.ts";
import { deleteObject, deleteObjects } from "./operations/delete-object.ts";
import { getObject } from "./operations/get-object.ts";
import { listObjectsV1, listObjectsV2 } from "./operations/list-objects.ts";
import { listUploads } from "./operations/list-uploads.ts";
import { putObject } from "./operations/put-object.ts";
import { uploadPart, uploadPartCopy } from "./operations/upload-part.ts";
import { abortUpload, createUpload, listParts } from "./operations/uploads.ts";
import { headerOrQuery, type S3Request } from "./request.ts";
import { S3Error } from "./s3-error.ts";

type Shape = {
  readonly method: string;
  /** Query parameters that a request must have to match this route. */
  readonly needs?: readonly string[];
  /** Other query parameters that this route understands. */
  readonly takes?: readonly string[];
};

/** A bucket route authorizes the request itself, because the query or the body says which keys it accesses. */
export type BucketRoute = Shape & {
  /** Absent for operations that need an administrator's key, because this gateway has no such keys. */
  readonly run?: (context: BucketContext) => Promise<S3Answer>;
};

/** The request is authorized for the key before an object route runs. */
export type ObjectRoute = Shape & {
  readonly action: S3Action;
  readonly isCopy?: boolean;
  readonly run: (context: ObjectContext, copySource: string) => Promise<S3Answer>;
};

const listing = ["prefix", "delimiter", "max-keys", "encoding-type"];
const overrides = ["type", "disposition", "encoding", "language"].map((name) => `response-content-${name}`);
const reading = [...overrides, "response-cache-control", "response-expires"];
const uploadListing = [
  "prefix",
  "delimiter",
  "key-marker",
  "upload-id-marker",
  "max-uploads",
  "encoding-type",
];

// The first route that matches is used, so specific routes come before general ones.
const bucketRoutes: readonly BucketRoute[] = [
  {
    method: "GET",
    needs: ["list-type"],
    takes: [...listing, "start-after", "continuation-token", "fetch-owner"],
    run: listObjectsV2,
  },
  { method: "GET", needs: ["location"], run: getBucketLocation },
  { method: "GET", needs: ["uploads"], takes: uploadListing, run: listUploads },
  { method: "GET", takes: [...listing, "marker"], run: listObjectsV1 },
  { method: "HEAD", run: headBucket },
  { method: "POST", needs: ["delete"], run: deleteObjects },
  { method: "PUT" },
  { method: "DELETE" },
];

const objectRoutes: readonly ObjectRoute[] = [
  {
    method: "GET",
    needs: ["uploadId"],
    takes: ["max-parts", "part-number-marker", "encoding-type"],
    action: "ListParts",
    run: listParts,
  },
  { method: "GET", takes: reading, action: "GetObject", run: getObject },
  { method: "HEAD", takes: reading, action: "HeadObject", run: getObject },
  {
    method: "PUT",
    needs: ["uploadId", "partNumber"],
    isCopy: true,
    action: "UploadPartCopy",
    run: uploadPartCopy,
  },
  { method: "PUT", needs: ["uploadId", "partNumber"], action: "UploadPart", run: uploadPart },
  { method: "PUT", isCopy: true, action: "CopyObject", run: copyObject },
  { method: "PUT", action: "PutObject", run: putObject },
  { method: "DELETE", needs: ["uploadId"], action: "AbortMultipartUpload", run: abortUpload },
  { method: "DELETE", action: "DeleteObject", run: deleteObject },
  { method: "POST", needs: ["uploads"], action: "CreateMultipartUpload", run: createUpload },
  { method: "POST", needs: ["uploadId"], action: "CompleteMultipartUpload", run: completeUpload },
];

/** @throws S3Error `NotImplemented` for sub-resources that are not served, rather than ignoring them */
export function findBucketRoute(request: S3Request): BucketRoute {
  return checked(
    request,
    bucketRoutes.find((route) => fits(request, route)),
  );
}

/** @throws S3Error `NotImplemented` */
export function findObjectRoute(request: S3Request): ObjectRoute {
  const isCopy = copySourceOf(request) !== undefined;
  return checked(
    request,
    objectRoutes.find((route) => fits(request, route) && (route.isCopy !== true || isCopy)),
  );
}

export const copySourceOf = (request: S3Request) => headerOrQuery(request, "x-amz-copy-source");

const fits = (request: S3Request, { method, needs = [] }: Shape) =>
  request.method === method && needs.every((name) => request.query.some(([given]) => given === name));

function checked<Route extends Shape>(request: S3Request, route: Route | undefined): Route {
  if (route === undefined) {
    throw new S3Error("NotImplemented", "This operation is not implemented");
  }
  const known = [...(route.needs ?? []), ...(route.takes ?? []), "x-id"];
  for (const [name] of request.query) {
    if (known.includes(name) || name.toLowerCase().startsWith("x-amz-")) continue;
    throw new S3Error("NotImplemented", `The query parameter '${name}' is not implemented`);
  }
  return route;
}
