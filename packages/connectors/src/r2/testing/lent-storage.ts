import { S3Client } from "@aws-sdk/client-s3";
import type { SecretValues } from "@keyloan/contract";
import { revealValues } from "@keyloan/contract";

/** The variables of a build in the clear, as its process sees them. */
export type BuildEnv = Readonly<Record<string, string>>;

export const envOf = (values: SecretValues | undefined): BuildEnv => revealValues(values ?? {});

/** An org key as one without an API token, which signs the credentials of all builds itself. */
export function withoutApiToken(fields: SecretValues): SecretValues {
  const { apiToken: _, ...rest } = fields;
  return rest;
}

/** An ordinary S3 client with the variables of a build; the caller destroys it. */
export function s3ClientOf(env: BuildEnv): S3Client {
  const sessionToken = env.R2_SESSION_TOKEN;
  return new S3Client({
    endpoint: env.R2_ENDPOINT ?? "",
    region: env.R2_REGION ?? "",
    maxAttempts: 1,
    credentials: {
      accessKeyId: env.R2_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.R2_SECRET_ACCESS_KEY ?? "",
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  });
}

/** The HTTP status a call of the SDK ended with, whatever it is. */
export async function statusOf(work: Promise<unknown>): Promise<number | undefined> {
  const answer: unknown = await work.catch((error: unknown) => error);
  const metadata = (answer as { $metadata?: { httpStatusCode?: number } }).$metadata;
  return metadata?.httpStatusCode;
}
