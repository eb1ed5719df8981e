import { idSuffix, type OrgCredential } from "@keyloan/contract";
import { openOrgKeysOfLease } from "@keyloan/org-keys";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { noCredential } from "../leases/org-credential.ts";
import { revokeAtProvider } from "../leases/revoke-at-provider.ts";

const timeoutMs = 20_000;

/**
 * Whether a lease's resource is gone at its provider: by its list, or, where there is none, by one more revoke,
 * to which "does not exist" is success. `unknown` when the provider could not be asked.
 */
export async function verifyGone(deps: Deps, lease: LeaseRow): Promise<"gone" | "there" | "unknown"> {
  const connector = deps.connectors.get(lease.connectorId);
  if (connector === undefined) return "unknown";
  const signal = AbortSignal.timeout(timeoutMs);
  const { list } = issuerOf(deps, connector);
  try {
    if (list === undefined) {
      await revokeAtProvider(deps, signal, lease);
      return "gone";
    }
    const context = deps.contextFor(connector, signal);
    const credentials = await credentialsOf(deps, connector.spec.orgFields.length > 0, lease);
    for (const credential of credentials) {
      for await (const { suffix } of list(context, credential)) {
        if (suffix === idSuffix(lease.id)) return "there";
        if (signal.aborted) return "unknown";
      }
    }
    return credentials.length > 0 ? "gone" : "unknown";
  } catch {
    return "unknown";
  }
}

async function credentialsOf(
  deps: Deps,
  needed: boolean,
  lease: LeaseRow,
): Promise<readonly OrgCredential[]> {
  return needed ? (await openOrgKeysOfLease(deps, lease)).credentials : [noCredential];
}
