import { type Actor, BrokerError, type OrgKeyList, type OrgKeyView } from "@keyloan/contract";
import { type Deps, requireConnector } from "../../deps.ts";
import { auditRow } from "../audit.ts";
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
 * to be ended, and is `retired` when none does.
 * @throws BrokerError `unknown_connector` or `not_found`
 */
export async function removeOrgKey(
  deps: Deps,
  actor: Actor,
  connectorId: string,
  requestId: string,
): Promise<void> {
  requireConnector(deps, connectorId);
  const done = await deps.store.write(async (tables) => {
    const row = await tables.orgKeys.findLatest(deps.organizationId, connectorId);
    if (row === undefined || row.state === "retired") return false;
    const used = await tables.leases.countUsing(connectorId, row.version);
    const to = used > 0 ? "retiring" : "retired";
    if (row.state !== to) await tables.orgKeys.moveState(row.id, [row.state], to);
    const details = { version: row.version, state: to, leasesInUse: used };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "org_key.removed", entity: connectorId, details, requestId }),
    ]);
    return true;
  });
  if (!done) throw noOrgKey(connectorId);
}

function noOrgKey(connectorId: string): BrokerError {
  return new BrokerError("not_found", `the org has no key for ${connectorId}`, {
    remedy: `Put one with \`keyloan org-keys set ${connectorId}\`.`,
  });
}
