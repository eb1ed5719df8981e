import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { ProviderError, type Secret } from "@keyloan/contract";
import { invalidResponse } from "./errors.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

/** A bucket, its access key, and how to send requests to it. */
export type BucketOptions = TransportOptions & {
  /** Scheme, host and port. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken?: Secret | undefined;
};

type Send = S3Client["send"];

/** The SDK for one bucket. `send` throws only ProviderError, without the store's own message. */
export type OpenedBucket = {
  readonly sdk: typeof import("@aws-sdk/client-s3");
  readonly send: Send;
  readonly name: string;
  readonly bucket: string;
};

/**
 * Opens a bucket. The SDK is loaded here, at the first use, because it doubles the start time of a program
 * that imports it.
 */
export async function openBucket(options: BucketOptions): Promise<OpenedBucket> {
  const sdk = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client(clientConfig(options));
  const { name, bucket } = options;
  return { sdk, send: guard(name, client.send.bind(client)), name, bucket };
}

/** The SDK's `send`; every error that is not ours is replaced by one that contains nothing of the answer. */
function guard(name: string, send: Send): Send {
  const guarded = async (...given: Parameters<Send>) => {
    try {
      return await send(...given);
    } catch (error) {
      throw error instanceof ProviderError ? error : invalidResponse(name);
    }
  };
  // `send` is overloaded; a wrapper that passes everything through keeps every overload true.
  return guarded as Send;
}

// Sets everything that the SDK would otherwise look up in files and variables of the machine.
function clientConfig(options: BucketOptions): S3ClientConfig {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
  return {
    endpoint,
    region,
    forcePathStyle: true,
    credentials: {
      accessKeyId,
      secretAccessKey: secretAccessKey.reveal(),
      ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    },
    requestHandler: createTransport(options),
    // The broker decides about retries.
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    // Not every store supports the checksums that newer clients add.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    authSchemePreference: [],
    disableS3ExpressSessionAuth: true,
    sigv4aSigningRegionSet: [],
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: "keyloan",
  };
}
