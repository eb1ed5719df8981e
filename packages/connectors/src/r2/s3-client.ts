import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { type ConnectorContext, ProviderError } from "@keyloan/contract";
import type { BucketAccess } from "./endpoint.ts";
import { invalidResponse } from "./errors.ts";
import { type FetchTransportOptions, fetchTransport, socketTransport } from "./transport.ts";

type Sdk = typeof import("@aws-sdk/client-s3");
type Send = S3Client["send"];

/** The SDK on one bucket. What `send` throws is a ProviderError, without the provider's words. */
export type OpenedBucket = { readonly sdk: Sdk; readonly send: Send; readonly bucket: string };

export type BucketOptions = FetchTransportOptions & {
  /** `socket` for keys that fetch would change on their way. */
  readonly transport?: "fetch" | "socket";
};

/**
 * Opens a bucket. The SDK is loaded here, at the first use, because it doubles the start time of whoever
 * imports it.
 */
export async function openBucket(
  context: ConnectorContext,
  access: BucketAccess,
  options: BucketOptions = {},
): Promise<OpenedBucket> {
  const sdk = await import("@aws-sdk/client-s3");
  const handler =
    options.transport === "socket" ? socketTransport(context) : fetchTransport(context, options);
  const client = new sdk.S3Client(clientConfig(access, handler));
  return { sdk, send: guard(client.send.bind(client)), bucket: access.bucket };
}

/** The SDK's `send`, with every failure that is not ours turned into one that carries nothing of the answer. */
function guard(send: Send): Send {
  const guarded = async (...given: Parameters<Send>) => {
    try {
      return await send(...given);
    } catch (error) {
      throw error instanceof ProviderError ? error : invalidResponse();
    }
  };
  // `send` is overloaded; a wrapper that hands everything through keeps every overload true.
  return guarded as Send;
}

// All that the SDK would otherwise look up in files and variables of the machine is given here.
function clientConfig(
  access: BucketAccess,
  requestHandler: NonNullable<S3ClientConfig["requestHandler"]>,
): S3ClientConfig {
  const { accessKeyId, secretAccessKey, sessionToken } = access;
  return {
    endpoint: access.endpoint,
    region: "auto",
    forcePathStyle: true,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    requestHandler,
    // Trying again is the broker's business.
    maxAttempts: 1,
    retryMode: "standard",
    defaultsMode: "standard",
    // R2 has refused or ignored the SDK's newer checksums ("R2 examples, aws-sdk-js-v3").
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
