import type { S3Client } from "@aws-sdk/client-s3";
import { BrokerError, type Secret } from "@keyloan/contract";
import { type FailedAction, unavailable } from "./failures.ts";

export type BucketOptions = {
  /** `https://<endpoint>/<bucket>/<prefix>` */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** How long the store may be silent; default 30 s. */
  readonly silenceMsMax?: number;
};

export type OpenedBucket = {
  readonly sdk: typeof import("@aws-sdk/client-s3");
  readonly name: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  readonly silenceMsMax: number;
  /** One call; throws BrokerError `unavailable`, or what the signal was ended with. */
  readonly send: <T>(
    action: FailedAction,
    call: (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ) => Promise<T>;
};

const silenceMsDefault = 30_000;
export const bucketRemedy =
  "Look at the bucket of archives, its key and what the key may do; the database is kept as it is.";

/** The operator's bucket. The SDK is loaded here, because it doubles the start time of whoever imports it. */
export async function openBucket(options: BucketOptions): Promise<OpenedBucket> {
  const sdk = await import("@aws-sdk/client-s3");
  const silenceMsMax = options.silenceMsMax ?? silenceMsDefault;
  const { origin, pathname } = new URL(options.url);
  const [name = "", ...rest] = pathname.split("/").filter(Boolean);
  const client = new sdk.S3Client({
    endpoint: origin,
    region: options.region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey.reveal(),
    },
    // Not every store knows the checksums that newer clients add; what arrived is proven by reading it back.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: silenceMsMax,
      socketTimeout: silenceMsMax,
      requestTimeout: silenceMsMax,
      throwOnRequestTimeout: true,
    },
  });
  return {
    sdk,
    name,
    prefix: rest.map((part) => `${part}/`).join(""),
    silenceMsMax,
    send: async (action, call, signal) => {
      signal.throwIfAborted();
      try {
        return await call(client, { abortSignal: signal });
      } catch (error) {
        signal.throwIfAborted();
        throw failure(action, error);
      }
    },
  };
}

/** Our own words and the status: the SDK's errors hold those of the store. */
function failure(action: FailedAction, error: unknown): BrokerError {
  const status = statusOf(error);
  if (status === 404) return new BrokerError("not_found", "the archive is not in the bucket of archives");
  return unavailable(action, status === undefined ? "no answer" : `status ${status}`, bucketRemedy);
}

/** For what may be gone already. */
export function unlessGone(error: unknown): undefined {
  if (!(error instanceof BrokerError) || error.code !== "not_found") throw error;
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const { $metadata } = error;
  if (typeof $metadata !== "object" || $metadata === null || !("httpStatusCode" in $metadata))
    return undefined;
  return typeof $metadata.httpStatusCode === "number" ? $metadata.httpStatusCode : undefined;
}
