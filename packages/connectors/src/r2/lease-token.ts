import { createHash } from "node:crypto";
import { idPattern, type OrgCredential, type PlannedLease, ProviderError, Secret } from "@keyloan/contract";
import { type AccountTokens, bucketResource } from "./account-tokens.ts";
import { provider } from "./errors.ts";

/** The permission that a lease's own token has on the bucket ("R2 API tokens, permission groups"). */
const permissionGroupName = "Workers R2 Storage Bucket Item Write";

/** What the facts of an org key with an API token hold. */
export type TokenFacts = { readonly permissionGroupId: string };

/** What a lease's own token is called: made of the lease id, so it is found again whatever was lost. */
export function leaseTokenName(leaseId: string): string {
  if (!idPattern("lease").test(leaseId)) throw new Error("a token is named after a lease id");
  return `${namePrefix}${leaseId}`;
}

const namePrefix = "keyloan-";

/** The lease that a token of this name was made for; `undefined` for every token that is not ours. */
export function leaseOfTokenName(name: string): string | undefined {
  const leaseId = name.slice(namePrefix.length);
  return name.startsWith(namePrefix) && idPattern("lease").test(leaseId) ? leaseId : undefined;
}

/** The name saved with the lease; any other would let a revoke delete what others own. */
export function tokenNameOf(lease: PlannedLease): string {
  const name = leaseTokenName(lease.leaseId);
  if ((lease.handle.token ?? name) !== name) throw new Error("the lease's token is not named after it");
  return name;
}

/**
 * Finds what making tokens needs to know, once per org key.
 * @throws ProviderError `rejected` when the account has no such permission
 */
export async function findTokenFacts(tokens: AccountTokens): Promise<TokenFacts> {
  const permissionGroupId = await tokens.findPermissionGroup(permissionGroupName);
  if (permissionGroupId !== undefined) return { permissionGroupId };
  throw new ProviderError(provider, "rejected", `has no permission group named ${permissionGroupName}`, {
    remedy: "Enable R2 for this account in the Cloudflare dashboard.",
  });
}

/** A token as the S3 key that it also is; its id is the access key id. */
export type ParentKey = { readonly id: string; readonly secretAccessKey: Secret };

/**
 * Makes a token that reads and writes the org's bucket until a moment, and gives the S3 key that it is:
 * the id and the hash of the value ("R2 API tokens, get S3 API credentials from an API token").
 */
export async function makeParentKey(
  tokens: AccountTokens,
  org: Pick<OrgCredential, "fields" | "facts">,
  name: string,
  expiresAtSeconds: number,
): Promise<ParentKey> {
  const permissionGroupId = org.facts.permissionGroupId ?? (await findTokenFacts(tokens)).permissionGroupId;
  const resource = bucketResource(org.fields);
  const { id, value } = await tokens.create({ name, permissionGroupId, resource, expiresAtSeconds });
  const secretAccessKey = createHash("sha256").update(value.reveal()).digest("hex");
  return { id, secretAccessKey: Secret.of(secretAccessKey) };
}

const roundsMax = 3;

/**
 * Deletes every token of a name, those that crashed attempts left behind too, and reads back that none is
 * left. With a token, every credential that was signed with it is refused ("Temporary access credentials").
 * @param keptId the one that stays
 * @throws ProviderError
 */
export async function endTokens(tokens: AccountTokens, name: string, keptId?: string): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const ids = (await tokens.find(name)).filter((id) => id !== keptId);
    if (ids.length === 0) return;
    for (const id of ids) await tokens.remove(id);
  }
  throw new ProviderError(provider, "unavailable", "still lists tokens of the build after they were deleted");
}
