import {
  type ConnectorContext,
  type Issuer,
  idPattern,
  type LeaseRequest,
  type OrgCredential,
  type PlannedLease,
  ProviderError,
  type SecretValues,
  secretValues,
} from "@keyloan/contract";
import { requireField } from "../kit/define-connector.ts";
import { openObjectStore } from "./client.ts";
import { credentialSecondsMax, signCredentials } from "./credentials.ts";
import { emptyPrefix } from "./empty-prefix.ts";
import { orgAccess } from "./endpoint.ts";
import { isR2Error, provider } from "./errors.ts";
import { r2OptionsSchema } from "./options.ts";

/**
 * Lends a prefix of the org's bucket. Issuing and renewing ask nobody: the credentials are signed here.
 * Revoking empties the prefix; the credentials themselves end with their expiry or with the org's key.
 */
export const r2Issuer: Issuer = {
  plan: (request) => ({ prefix: buildPrefix(request.buildId) }),
  issue: lend,
  renew: lend,
  revoke: async (context, org, lease) => {
    const access = orgAccess(context, org.fields);
    const fetch = await openObjectStore(context, access);
    const socket = () => openObjectStore(context, access, "socket");
    try {
      await emptyPrefix({ fetch, socket }, prefixOf(lease));
    } catch (error) {
      // A bucket that is gone holds nothing of the build.
      if (!isR2Error(error, "NoSuchBucket")) throw error;
    }
  },
};

async function lend(
  context: ConnectorContext,
  org: OrgCredential,
  lease: PlannedLease,
): Promise<SecretValues> {
  const prefix = prefixOf(lease);
  const access = orgAccess(context, org.fields);
  const issuedAtSeconds = Math.floor(context.now() / 1000);
  const credentials = await signCredentials({
    accountId: requireField(org.fields, "accountId"),
    endpointHost: new URL(access.endpoint).host,
    bucket: access.bucket,
    prefixes: [prefix],
    parentAccessKeyId: access.accessKeyId,
    parentSecretAccessKey: access.secretAccessKey,
    issuedAtSeconds,
    expiresAtSeconds: expirySeconds(lease, issuedAtSeconds),
  });
  return secretValues({
    R2_ENDPOINT: access.endpoint,
    R2_BUCKET: access.bucket,
    R2_PREFIX: prefix,
    R2_ACCESS_KEY_ID: credentials.accessKeyId,
    R2_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    R2_SESSION_TOKEN: credentials.sessionToken,
    R2_REGION: "auto",
  });
}

function expirySeconds(lease: LeaseRequest, nowSeconds: number): number {
  const { credentialTtlSeconds = credentialSecondsMax } = r2OptionsSchema.parse(lease.options ?? {});
  const end = Math.min(Math.floor(lease.expiresAt / 1000), nowSeconds + credentialTtlSeconds);
  if (end > nowSeconds) return end;
  throw new ProviderError(provider, "rejected", "was not asked, for the lease is already over", {
    remedy: "Renew the build before its storage credentials.",
  });
}

/** The prefix saved with the lease; anything but the build's own would let a revoke delete what others own. */
function prefixOf(lease: PlannedLease): string {
  const prefix = buildPrefix(lease.buildId);
  if (lease.handle.prefix !== prefix) throw new Error("the lease's prefix is not that of its build");
  return prefix;
}

// The form of a build id has no slash, dot or wildcard, so the prefix means this build and no other.
function buildPrefix(buildId: string): string {
  if (!idPattern("build").test(buildId)) throw new Error("a prefix is made of a build id");
  return `builds/${buildId}/`;
}
