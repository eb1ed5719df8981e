import { createHash, createHmac } from "node:crypto";
import { invalidResponse, S3Error } from "./errors.ts";
import type { BucketOptions } from "./open-bucket.ts";
import { encodeStrictly } from "./transport.ts";

/**
 * Lists at most one object under a prefix, to see whether a store accepts an access key. It signs the request itself,
 * because every build may wait for this call and loading the SDK would cost more than everything else.
 * @throws S3Error for a refusal, ProviderError for every other failure
 */
export async function probe(options: BucketOptions, prefix: string, nowMs: number): Promise<void> {
  const { name, send, endpoint, bucket } = options;
  const query = `list-type=2&max-keys=1&prefix=${encodeStrictly(prefix)}`;
  const path = `/${bucket}`;
  const headers = signGet(options, path, query, nowMs);
  const answer = await send(`${endpoint}${path}?${query}`, { method: "GET", headers });
  if (answer.status < 200 || answer.status > 299) throw new S3Error(name, answer);
  if (!Buffer.from(answer.bytes).toString().includes(`<Name>${bucket}</Name>`)) throw invalidResponse(name);
}

const hashOfNothing = createHash("sha256").digest("hex");

/** The headers of a GET ("AWS Signature Version 4, create a signed request"); path and query are already encoded. */
function signGet(
  { endpoint, region, accessKeyId, secretAccessKey, sessionToken }: BucketOptions,
  path: string,
  query: string,
  nowMs: number,
): Record<string, string> {
  const timestamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers = {
    "x-amz-content-sha256": hashOfNothing,
    "x-amz-date": timestamp,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken.reveal() }),
  };
  const signed = Object.entries({ host: new URL(endpoint).host, ...headers });
  const signedHeaders = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value}`);
  const request = ["GET", path, query, ...lines, "", signedHeaders, hashOfNothing].join("\n");
  const hash = createHash("sha256").update(request).digest("hex");
  let key: Buffer | string = `AWS4${secretAccessKey.reveal()}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash}`;
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const credential = `Credential=${accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { ...headers, authorization };
}
