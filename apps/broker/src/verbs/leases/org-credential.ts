import { type Connector, type OrgCredential, ProviderError } from "@keyloan/contract";
import { openActiveOrgKey } from "@keyloan/org-keys";
import type { Deps } from "../../deps.ts";

/** What a connector without org fields is called with. */
export const noCredential: OrgCredential = { version: 0, fields: {}, facts: {} };

/**
 * The org key to issue with.
 * @throws ProviderError `unauthorized` when the org has none any more: it waits for one, like a refused key
 */
export async function credentialToIssue(deps: Deps, connector: Connector): Promise<OrgCredential> {
  if (connector.spec.orgFields.length === 0) return noCredential;
  const org = await openActiveOrgKey(deps, connector.spec.id);
  if (org !== undefined) return org;
  throw new ProviderError(connector.spec.id, "unauthorized", "cannot be asked: the org has no key for it");
}
