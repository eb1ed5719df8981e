import { authenticate } from "./auth/authenticate.ts";
import { openBody } from "./body/request-body.ts";
import type { BucketContext, S3Answer, S3Limits } from "./operations/context.ts";
import { allowsBucket, denied, type ResolveCredential, requireKey } from "./policy.ts";
import type { S3Request } from "./request.ts";
import { copySourceOf, findBucketRoute, findObjectRoute } from "./routes.ts";
import { S3Error } from "./s3-error.ts";
import type { Bucket } from "./store/bucket.ts";

export type HandlerOptions = {
  readonly buckets: ReadonlyMap<string, Bucket>;
  readonly resolveCredential: ResolveCredential;
  readonly limits: S3Limits;
  readonly nowMs: () => number;
};

/**
 * Handles one request: authenticates the sender, finds the operation, authorizes it and runs it. Nothing about the
 * store is revealed before the sender is authorized, so a refusal does not reveal what exists.
 * @throws S3Error for every refusal
 */
export async function handleRequest(
  options: HandlerOptions,
  request: S3Request,
  source: () => AsyncIterable<Buffer>,
): Promise<S3Answer> {
  const { policy, payload, chunkSigner } = await authenticate(
    request,
    options.resolveCredential,
    options.nowMs(),
  );
  const { bucket: bucketName, key } = request;
  // Listing the buckets of an account needs an administrator's key.
  if (bucketName === undefined) throw denied();
  const contextOf = (bucket: Bucket): BucketContext => ({
    request,
    policy,
    bucketName,
    bucket,
    buckets: options.buckets,
    limits: options.limits,
    nowMs: options.nowMs,
    openBody: (bytesMax, checksums) =>
      openBody({ request, payload, chunkSigner, source }, bytesMax, checksums),
  });
  if (key === undefined) {
    const route = findBucketRoute(request);
    if (route.run === undefined || !allowsBucket(policy, bucketName)) throw denied();
    return route.run(contextOf(findBucket(options, bucketName)));
  }
  const route = findObjectRoute(request);
  requireKey(policy, route.action, bucketName, key);
  return route.run({ ...contextOf(findBucket(options, bucketName)), key }, copySourceOf(request) ?? "");
}

function findBucket({ buckets }: HandlerOptions, name: string): Bucket {
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new S3Error("NoSuchBucket", "The specified bucket does not exist.");
  return bucket;
}
