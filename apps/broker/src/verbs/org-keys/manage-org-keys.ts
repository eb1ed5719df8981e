import { BrokerError, type OrgKeyList, type OrgKeyView } from "@keyloan/contract";
import type { By } from "../../audit-row.ts";
import type { Deps } from "../../deps.ts";
import { requireConnector } from "../../deps.ts";
import { orgKeyView } from "./views.ts";

/** Every version of every org key, newest first within a connector. */
export async function listOrgKeys(deps: Deps): Promise<OrgKeyList> {
  const rows = await deps.store.read.orgKeys.list(deps.organizationId);
  return { orgKeys: await Promise.all(rows.map((row) => orgKeyView(deps, row))) };
}

/** @throws BrokerError `unknown_connector` or `not_found` */
export async function showOrgKey(deps: Deps, connectorId: string): Promise<OrgKeyView> {
  requireConnector(deps, connectorId);
  const row = await deps.store.read.orgKeys.findLatest(deps.organizationId, connectorId);
  if (row === undefined || row.state === "retired") throw noOrgKey(connectorId);
  return orgKeyView(deps, row);
}

/**
 * Stops lending an org key: no new lease is issued with it. It stays sealed as `retiring` while leases need it
 * to be ended, and until the provider was seen to refuse it.
 * @throws BrokerError `unknown_connector` or `not_found`
 */
export async function removeOrgKey(deps: Deps, by: By, connectorId: string): Promise<void> {
  requireConnector(deps, connectorId);
  await deps.change(by, [connectorId], async (tx) => {
    const row = await tx.orgKeys.findLatest(deps.organizationId, connectorId);
    if (row === undefined || row.state === "retired") throw noOrgKey(connectorId);
    if (row.state === "active") await tx.orgKeys.moveState(row.id, ["active"], "retiring");
    const used = await tx.keyUses.count(connectorId, row.version);
    const details = { version: row.version, state: "retiring", leasesInUse: used };
    tx.audit("org_key.removed", connectorId, details);
    await tx.jobs.cancelByEntity(row.id, "prove-dead", deps.now());
    tx.job({ kind: "prove-dead", entityId: row.id, connectorId });
  });
}

export function noOrgKey(connectorId: string): BrokerError {
  return new BrokerError("not_found", `the org has no key for ${connectorId}`, {
    remedy: `Set one with \`keyloan org-keys set ${connectorId}\`.`,
  });
}
