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

/**
 * Calls with the org key to issue with. A key that is refused because another was put meanwhile is not a failure: the
 * call is made once more with that one.
 * @returns what the call gave, and the version of the key it was made with
 * @throws ProviderError what the call throws
 */
export async function withKeyToIssue<T>(
  deps: Deps,
  connector: Connector,
  call: (org: OrgCredential) => Promise<T>,
): Promise<{ readonly made: T; readonly version: number }> {
  const org = await credentialToIssue(deps, connector);
  try {
    return { made: await call(org), version: org.version };
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== "unauthorized") throw error;
    const newer = await credentialToIssue(deps, connector);
    if (newer.version === org.version) throw error;
    return { made: await call(newer), version: newer.version };
  }
}
