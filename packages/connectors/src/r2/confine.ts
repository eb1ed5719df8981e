import type { SecretValues } from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { signCredentials, type TemporaryCredentials } from "./credentials.ts";
import type { BucketAccess } from "./endpoint.ts";

/** From when until when a credential is good, in whole seconds since the epoch. */
export type Lifetime = { readonly issuedAtSeconds: number; readonly expiresAtSeconds: number };

/** The same bucket through a credential that reaches one prefix of it and expires, signed here with `parent`. */
export async function confineAccess(
  fields: SecretValues,
  parent: BucketAccess,
  prefix: string,
  lifetime: Lifetime,
): Promise<BucketAccess & TemporaryCredentials> {
  const credentials = await signCredentials({
    accountId: requireField(fields, "accountId"),
    endpointHost: new URL(parent.endpoint).host,
    bucket: parent.bucket,
    prefixes: [prefix],
    parentAccessKeyId: parent.accessKeyId,
    parentSecretAccessKey: parent.secretAccessKey,
    ...lifetime,
  });
  return { ...parent, ...credentials };
}
