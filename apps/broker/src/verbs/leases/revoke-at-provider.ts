import { BrokerError, type Connector, type OrgCredential, ProviderError } from "@keyloan/contract";
import { openOrgKeysOfLease } from "@keyloan/org-keys";
import type { LeaseRow } from "@keyloan/store";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import { withRetry } from "../../queue/backoff.ts";
import { noCredential } from "./org-credential.ts";
import { planned } from "./planned-lease.ts";

/**
 * Ends at the provider whatever a lease owns there, with tries under the deadline of a job.
 * @throws BrokerError `unknown_connector` or `org_key_missing`; ProviderError when the provider does not do it
 */
export async function revokeAtProvider(deps: Deps, signal: AbortSignal, lease: LeaseRow): Promise<void> {
  const connector = deps.connectors.get(lease.connectorId);
  if (connector === undefined) {
    throw new BrokerError("unknown_connector", `the connector ${lease.connectorId} is no longer installed`);
  }
  // Its database was archived and ended: nothing is left, and no key is needed to say so.
  if (connector.database !== undefined && (await deps.store.read.archives.isDropped(lease.id))) return;
  const untilMs = deps.now() + deps.config.issueDeadlineSeconds * 1000;
  const context = deps.contextFor(connector, signal);
  await withRetry(deps, { untilMs, signal }, () =>
    withOrgKeysOf(deps, connector, lease, (org) =>
      issuerOf(deps, connector).revoke(context, org, planned(lease)),
    ),
  );
}

/** Calls with the org keys that may have made the lease; one that is dead is passed over when another does it. */
async function withOrgKeysOf(
  deps: Deps,
  connector: Connector,
  lease: LeaseRow,
  revoke: (org: OrgCredential) => Promise<void>,
): Promise<void> {
  if (connector.spec.orgFields.length === 0) return revoke(noCredential);
  const { credentials, askEach } = await openOrgKeysOfLease(deps, lease);
  if (credentials.length === 0) {
    throw new BrokerError(
      "org_key_missing",
      `there is no key for ${connector.spec.id} left that could end the lease`,
    );
  }
  let dead: ProviderError | undefined;
  let ended = false;
  for (const credential of credentials) {
    try {
      await revoke(credential);
      ended = true;
      if (!askEach) return;
    } catch (error) {
      if (!(error instanceof ProviderError) || error.code !== "unauthorized") throw error;
      dead = error;
    }
  }
  if (!ended && dead !== undefined) throw dead;
}
