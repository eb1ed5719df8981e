import { BrokerError, type Connector, type OrgCredential, ProviderError } from "@keyloan/contract";
import { openActiveOrgKey, openOrgKeyOfLease } from "@keyloan/org-keys";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";

const none: OrgCredential = { version: 0, fields: {}, facts: {} };

/**
 * The org key to issue with.
 * @throws ProviderError `unauthorized` when the org has none any more: it waits for one, like a refused key
 */
export async function credentialToIssue(deps: Deps, connector: Connector): Promise<OrgCredential> {
  if (connector.spec.orgFields.length === 0) return none;
  const org = await openActiveOrgKey(deps, connector.spec.id);
  if (org !== undefined) return org;
  throw new ProviderError(connector.spec.id, "unauthorized", "cannot be asked: the org has no key for it");
}

/**
 * The org key to end a lease with.
 * @throws BrokerError `org_key_missing` when no version is left
 */
export async function credentialToRelease(
  deps: Deps,
  connector: Connector,
  lease: LeaseRow,
): Promise<OrgCredential> {
  if (connector.spec.orgFields.length === 0) return none;
  const org = await openOrgKeyOfLease(deps, connector.spec.id, lease.orgKeyVersion);
  if (org !== undefined) return org;
  throw new BrokerError("org_key_missing", `no key for ${connector.spec.id} is left to end the lease with`);
}
