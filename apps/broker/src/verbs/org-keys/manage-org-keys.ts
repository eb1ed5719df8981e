import { type Actor, BrokerError, type OrgKeyList, type OrgKeyView } from "@keyloan/contract";
import type { Deps } from "../../deps.ts";
import { requireConnector } from "../../deps.ts";
import { newHeldJob } from "../../jobs/new-job.ts";
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
 * to be ended, and until the provider was seen to refuse it.
 * @throws BrokerError `unknown_connector` or `not_found`
 */
export async function removeOrgKey(
  deps: Deps,
  actor: Actor,
  connectorId: string,
  requestId: string,
): Promise<void> {
  requireConnector(deps, connectorId);
  const job = await deps.store.write(async (tables) => {
    const row = await tables.orgKeys.findLatest(deps.organizationId, connectorId);
    if (row === undefined || row.state === "retired") return undefined;
    if (row.state === "active") await tables.orgKeys.moveState(row.id, ["active"], "retiring");
    const used = await tables.keyUses.count(connectorId, row.version);
    const details = { version: row.version, state: "retiring", leasesInUse: used };
    await tables.auditEvents.insertAll([
      auditRow(deps, { actor, action: "org_key.removed", entity: connectorId, details, requestId }),
    ]);
    const held = newHeldJob(deps, { kind: "prove-dead", entityId: row.id, connectorId });
    await tables.jobs.cancelByEntity(row.id, "prove-dead", deps.now());
    await tables.jobs.insertAll([held]);
    return held;
  });
  if (job === undefined) throw noOrgKey(connectorId);
  void deps.runner.run(job.entityId, [job]);
}

export function noOrgKey(connectorId: string): BrokerError {
  return new BrokerError("not_found", `the org has no key for ${connectorId}`, {
    remedy: `Put one with \`keyloan org-keys set ${connectorId}\`.`,
  });
}
