import { type Actor, BrokerError, type OrgKeyList, type OrgKeyView } from "@keyloan/contract";
import { requireConnector } from "../../deps.ts";
import { newHeldJob } from "../../jobs/new-job.ts";
import type { Services } from "../../services.ts";
import { auditRow } from "../audit.ts";
import { orgKeyView } from "./views.ts";

/** Every version of every org key, newest first within a connector. */
export async function listOrgKeys(services: Services): Promise<OrgKeyList> {
  const rows = await services.store.read.orgKeys.list(services.organizationId);
  return { orgKeys: await Promise.all(rows.map((row) => orgKeyView(services, row))) };
}

/** @throws BrokerError `unknown_connector` or `not_found` */
export async function showOrgKey(services: Services, connectorId: string): Promise<OrgKeyView> {
  requireConnector(services, connectorId);
  const row = await services.store.read.orgKeys.findLatest(services.organizationId, connectorId);
  if (row === undefined || row.state === "retired") throw noOrgKey(connectorId);
  return orgKeyView(services, row);
}

/**
 * Stops lending an org key: no new lease is issued with it. It stays sealed as `retiring` while leases need it
 * to be ended, and until the provider was seen to refuse it.
 * @throws BrokerError `unknown_connector` or `not_found`
 */
export async function removeOrgKey(
  services: Services,
  actor: Actor,
  connectorId: string,
  requestId: string,
): Promise<void> {
  requireConnector(services, connectorId);
  const job = await services.store.write(async (tables) => {
    const row = await tables.orgKeys.findLatest(services.organizationId, connectorId);
    if (row === undefined || row.state === "retired") return undefined;
    if (row.state === "active") await tables.orgKeys.moveState(row.id, ["active"], "retiring");
    const used = await tables.keyUses.count(connectorId, row.version);
    const details = { version: row.version, state: "retiring", leasesInUse: used };
    await tables.auditEvents.insertAll([
      auditRow(services, { actor, action: "org_key.removed", entity: connectorId, details, requestId }),
    ]);
    const held = newHeldJob(services, { kind: "prove-dead", entityId: row.id, connectorId });
    await tables.jobs.cancelByEntity(row.id, "prove-dead", services.now());
    await tables.jobs.insertAll([held]);
    return held;
  });
  if (job === undefined) throw noOrgKey(connectorId);
  void services.runner.run(job.entityId, [job]);
}

export function noOrgKey(connectorId: string): BrokerError {
  return new BrokerError("not_found", `the org has no key for ${connectorId}`, {
    remedy: `Put one with \`keyloan org-keys set ${connectorId}\`.`,
  });
}
