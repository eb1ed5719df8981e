import { createHash, createHmac } from "node:crypto";
import type { ConnectorContext } from "@keyloan/contract";
import { send } from "../kit/http.ts";
import type { TemporaryCredentials } from "./credentials.ts";
import type { BucketAccess } from "./endpoint.ts";
import { invalidResponse, provider, R2Error } from "./errors.ts";
import { encodeStrictly } from "./transport.ts";

/**
 * One listing of at most one key under a prefix, to see whether R2 accepts a credential. Signed here: it is
 * on the way of every build, where the SDK costs more than all else.
 * @throws R2Error for a refusal, ProviderError for every other failure
 */
export async function probe(
  context: ConnectorContext,
  access: BucketAccess & TemporaryCredentials,
  prefix: string,
): Promise<void> {
  const query = `list-type=2&max-keys=1&prefix=${encodeStrictly(prefix)}`;
  const path = `/${access.bucket}`;
  const { status, headers, text, requestId } = await send({
    provider,
    context,
    method: "GET",
    url: `${access.endpoint}${path}?${query}`,
    headers: signGet(access, path, query, context.now()),
  });
  if (status < 200 || status > 299) {
    throw new R2Error({ status, retryAfter: headers.get("retry-after"), requestId: requestId ?? null, text });
  }
  if (!text.includes(`<Name>${access.bucket}</Name>`)) throw invalidResponse();
}

const hashOfNothing = createHash("sha256").digest("hex");
const signedHeaders = "host;x-amz-content-sha256;x-amz-date;x-amz-security-token";

/** The headers of a GET ("AWS Signature Version 4, create a signed request"); path and query are encoded. */
function signGet(
  { endpoint, accessKeyId, secretAccessKey, sessionToken }: BucketAccess & TemporaryCredentials,
  path: string,
  query: string,
  nowMs: number,
): Record<string, string> {
  const timestamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${timestamp.slice(0, 8)}/auto/s3/aws4_request`;
  const headers = {
    "x-amz-content-sha256": hashOfNothing,
    "x-amz-date": timestamp,
    "x-amz-security-token": sessionToken,
  };
  const lines = [
    `host:${new URL(endpoint).host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
  ];
  const request = ["GET", path, query, ...lines, "", signedHeaders, hashOfNothing].join("\n");
  const hash = createHash("sha256").update(request).digest("hex");
  let key: Buffer | string = `AWS4${secretAccessKey}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash}`;
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const credential = `Credential=${accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { ...headers, authorization };
}
