import { BrokerError, type Connector, ProviderError } from "@keyloan/contract";
import { openOrgKeyVersion } from "@keyloan/org-keys";
import type { JobRow, LeaseRow } from "@keyloan/store";
import * as z from "zod";
import type { Deps } from "../../deps.ts";
import { issuerOf } from "../../issuer-of.ts";
import type { JobHold } from "../../queue/define-job.ts";
import { done, failed, type Outcome } from "../../queue/outcome.ts";
import { planned } from "../leases/planned-lease.ts";
import { followUp } from "../org-keys/sweep-org-keys.ts";

const payloadSchema = z.object({ endVersion: z.int() });
const runsMax = 8;

/** The version with which something of the lease is left to be ended, once its new values are recorded. */
export function oldResourceVersion(payload: JobRow["payload"]): number | undefined {
  return payloadSchema.safeParse(payload).data?.endVersion;
}

/**
 * Ends what the lease owned in the account of its old key. When the old key does not do it any more, what is left
 * is named in the audit: nobody else can end it.
 */
export async function endOldResource(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  version: number,
): Promise<Outcome> {
  const failure = await revokeWith(deps, hold, connector, lease, version);
  if (failure?.retryable === true && hold.job.attempts < runsMax) return failed(failure);
  return done(async (tx) => {
    const action = failure === undefined ? "lease.old_resource_ended" : "lease.old_resource_left";
    const details = { connector: lease.connectorId, version, resource: lease.handle };
    tx.audit(action, lease.buildId, details);
    const versions = await tx.orgKeys.listVersions(deps.organizationId, lease.connectorId);
    const old = versions.find((row) => row.version === version);
    if (old !== undefined && old.fields !== "") await followUp(deps, tx, old);
  });
}

async function revokeWith(
  deps: Deps,
  hold: JobHold,
  connector: Connector,
  lease: LeaseRow,
  version: number,
): Promise<ProviderError | undefined> {
  const versions = await deps.store.read.orgKeys.listVersions(deps.organizationId, lease.connectorId);
  const row = versions.find((each) => each.version === version);
  const gone = new ProviderError(lease.connectorId, "unauthorized", "no longer accepts the old key");
  if (row === undefined || row.fields === "") return gone;
  try {
    const org = await openOrgKeyVersion(deps, row);
    await issuerOf(deps, connector).revoke(deps.contextFor(connector, hold.signal), org, planned(lease));
    return undefined;
  } catch (error) {
    if (error instanceof ProviderError) return error;
    if (error instanceof BrokerError) return gone;
    throw error;
  }
}
