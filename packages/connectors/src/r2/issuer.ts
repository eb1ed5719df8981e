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
import { emptyPrefix, isS3Error, probe } from "@keyloan/s3-objects";
import { type AccountTokens, openAccountTokens } from "./account-tokens.ts";
import { buildPrefix } from "./build-prefix.ts";
import { bucketOptions, openBucket } from "./client.ts";
import { confineAccess, type Lifetime } from "./confine.ts";
import { credentialSecondsMax, type TemporaryCredentials } from "./credentials.ts";
import { type BucketAccess, orgAccess } from "./endpoint.ts";
import { provider } from "./errors.ts";
import { endTokens, findTokenFacts, leaseTokenName, makeParentKey, tokenNameOf } from "./lease-token.ts";
import { listLent } from "./list-lent.ts";
import { r2OptionsSchema } from "./options.ts";
import { waitUntilServed } from "./wait-until-served.ts";

/**
 * Lends a prefix of the org's bucket, with credentials that are signed here. When the org key has an API
 * token, each lease gets a parent token of its own, which revoking deletes and its credentials with it.
 * Without one the org's own key signs, nobody is asked, and credentials live until their expiry.
 */
export const r2Issuer: Issuer = {
  plan: ({ buildId, leaseId }) => ({ prefix: buildPrefix(buildId), token: leaseTokenName(leaseId) }),
  issue: lend,
  renew: lend,
  livesShorter: (options) => credentialTtlOf(options) < credentialSecondsMax,
  rotate,
  list: listLent,
  // A deleted token may be accepted for a minute yet, and without one credentials live on: what was
  // written meanwhile goes when they have expired.
  outlivesRevoke: true,
  revoke,
};

async function revoke(context: ConnectorContext, org: OrgCredential, lease: PlannedLease): Promise<void> {
  // A listing finds a prefix and a token apart, and gives a handle that names the one alone.
  const isTokenAlone = lease.handle.prefix === undefined && lease.handle.token !== undefined;
  const prefix = isTokenAlone ? undefined : prefixOf(lease);
  const tokens = openAccountTokens(context, org.fields);
  // First, so that nothing is written any more while the prefix is emptied.
  if (tokens !== undefined && namesToken(lease)) await endTokens(tokens, tokenNameOf(lease));
  if (prefix === undefined) return;
  const store = await openBucket(context, orgAccess(context, org.fields), { reachesEveryKey: true });
  try {
    await emptyPrefix(store, prefix);
  } catch (error) {
    // A bucket that is gone holds nothing of the build.
    if (!isS3Error(error, "NoSuchBucket")) throw error;
  }
}

// Whoever knows of a listed prefix alone knows no lease; older handles name no token, and have one.
const namesToken = ({ handle, leaseId }: PlannedLease) =>
  handle.token !== undefined || idPattern("lease").test(leaseId);

/**
 * A new token of the lease's own, proven to work; then every other of its name is deleted, those of renewals and
 * of attempts that crashed too, and all that they signed.
 */
async function rotate(
  context: ConnectorContext,
  org: OrgCredential,
  lease: PlannedLease,
): Promise<SecretValues> {
  const name = tokenNameOf(lease);
  const tokens = openAccountTokens(context, org.fields);
  if (tokens === undefined)
    throw cannotEnd("the org key has no API token, so R2 cannot end a single credential");
  // What the org's own key signed, before there was an API token, would go on.
  if ((await tokens.find(name)).length === 0)
    throw cannotEnd("the account has no token for this lease: its credentials are not signed with one");
  const values = await lend(context, org, lease);
  await endTokens(tokens, name, values.R2_ACCESS_KEY_ID?.reveal());
  return values;
}

const cannotEnd = (reason: string) =>
  new ProviderError(provider, "rejected", reason, {
    remedy:
      "Add an API token to the org key and renew the build; credentials lent before end at their expiry, or when the org's token is rotated at Cloudflare.",
  });

/** What issuing needs to know beside the org key's fields: with an API token, the permission to give. */
export async function prepareOrgKey(
  context: ConnectorContext,
  fields: SecretValues,
): Promise<Readonly<Record<string, string>>> {
  const tokens = openAccountTokens(context, fields);
  return tokens === undefined ? {} : findTokenFacts(tokens);
}

async function lend(
  context: ConnectorContext,
  org: OrgCredential,
  lease: PlannedLease,
): Promise<SecretValues> {
  const prefix = prefixOf(lease);
  const issuedAtSeconds = Math.floor(context.now() / 1000);
  const lifetime = { issuedAtSeconds, expiresAtSeconds: expirySeconds(lease, issuedAtSeconds) };
  const tokens = openAccountTokens(context, org.fields);
  const access =
    tokens === undefined
      ? await confineAccess(org.fields, orgAccess(context, org.fields), prefix, lifetime)
      : await lendOwnKey(context, org, lease, tokens, lifetime);
  return secretValues({
    R2_ENDPOINT: access.endpoint,
    R2_BUCKET: access.bucket,
    R2_PREFIX: prefix,
    R2_ACCESS_KEY_ID: access.accessKeyId,
    R2_SECRET_ACCESS_KEY: access.secretAccessKey,
    R2_SESSION_TOKEN: access.sessionToken,
    R2_REGION: "auto",
  });
}

/** A credential signed with a token made for this lease alone, given when R2 accepts it. */
async function lendOwnKey(
  context: ConnectorContext,
  org: OrgCredential,
  lease: PlannedLease,
  tokens: AccountTokens,
  lifetime: Lifetime,
): Promise<BucketAccess & TemporaryCredentials> {
  const prefix = prefixOf(lease);
  const { id, secretAccessKey } = await makeParentKey(
    tokens,
    org,
    tokenNameOf(lease),
    lifetime.expiresAtSeconds,
  );
  try {
    const shared = orgAccess(context, org.fields);
    const parent = { ...shared, accessKeyId: id, secretAccessKey: secretAccessKey.reveal() };
    const access = await confineAccess(org.fields, parent, prefix, lifetime);
    await waitUntilServed(() => probe(bucketOptions(context, access), prefix, context.now()), context);
    return access;
  } catch (error) {
    // Spares the account's quota; what stays is deleted when the lease ends.
    await tokens.remove(id).catch(() => undefined);
    throw error;
  }
}

function credentialTtlOf(options: unknown): number {
  const { credentialTtlSeconds = credentialSecondsMax } = r2OptionsSchema.parse(options ?? {});
  return credentialTtlSeconds;
}

function expirySeconds(lease: LeaseRequest, nowSeconds: number): number {
  const end = Math.min(Math.floor(lease.expiresAt / 1000), nowSeconds + credentialTtlOf(lease.options));
  if (end > nowSeconds) return end;
  throw new ProviderError(provider, "rejected", "was not asked, because the lease has already ended", {
    remedy: "Renew the build before its storage credentials end.",
  });
}

/** The prefix saved with the lease; anything but the build's own would let a revoke delete what others own. */
function prefixOf(lease: PlannedLease): string {
  const prefix = buildPrefix(lease.buildId);
  if (lease.handle.prefix !== prefix) throw new Error("the lease's prefix is not that of its build");
  return prefix;
}
